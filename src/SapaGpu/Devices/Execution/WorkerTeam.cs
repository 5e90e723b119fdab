using System.Runtime.ExceptionServices;

namespace SapaGpu.Devices;

/// <summary>A piece of work that several threads share.</summary>
internal abstract class TeamJob
{
    /// <summary>Takes part in the work until none is left.</summary>
    /// <param name="worker">The number of the thread, 0 for the caller's.</param>
    public abstract void Work(int worker);
}

/// <summary>
/// The threads of the CPU device. The caller takes part and never waits for a thread that has not begun, so a thread
/// that wakes late costs nothing; for a moment after its work a thread watches for more before it sleeps.
/// </summary>
internal sealed class WorkerTeam : IDisposable
{
    private const int SpinsBeforeSleep = 200;

    private readonly Lock gate = new();
    private readonly Thread[] threads;
    private readonly SemaphoreSlim wake = new(0);
    private TeamJob? job;
    private ExceptionDispatchInfo? failure;
    private int wanted;
    private int epoch;
    private int running;
    private int sleeping;
    private bool started;
    private volatile bool disposed;

    public WorkerTeam(int size)
    {
        threads = new Thread[Math.Max(0, size - 1)];
        for (int i = 0; i < threads.Length; i++)
        {
            int worker = i + 1;
            threads[i] = new Thread(() => Serve(worker)) { IsBackground = true, Name = $"SapaGpu {worker}" };
        }
    }

    /// <summary>Does a job on up to so many threads, the caller's among them; returns when it is done.</summary>
    public void Run(TeamJob work, int size)
    {
        lock (gate)
        {
            if (!started)
                Start();
            failure = null;
            wanted = Math.Min(size - 1, threads.Length);
            Volatile.Write(ref job, work);
            Interlocked.Increment(ref epoch);
            int asleep = Volatile.Read(ref sleeping);
            if (asleep > 0)
                wake.Release(Math.Min(asleep, threads.Length));
            try
            {
                work.Work(0);
            }
            finally
            {
                // Nobody begins after this; those who have begun are about to end.
                Volatile.Write(ref job, null);
                Interlocked.MemoryBarrier();
                var spinner = default(SpinWait);
                while (Volatile.Read(ref running) > 0)
                    spinner.SpinOnce(sleep1Threshold: -1);
            }
            failure?.Throw();
        }
    }

    public void Dispose()
    {
        disposed = true;
        lock (gate)
        {
            if (!started)
                return;
            Interlocked.Increment(ref epoch);
            if (threads.Length > 0)
                wake.Release(threads.Length);
            foreach (var thread in threads)
                thread.Join();
        }
    }

    private void Start()
    {
        foreach (var thread in threads)
            thread.Start();
        started = true;
    }

    private void Serve(int worker)
    {
        int seen = 0;
        while (true)
        {
            Await(ref seen);
            if (disposed)
                return;
            Interlocked.Increment(ref running);
            try
            {
                var work = Volatile.Read(ref job);
                if (work is not null && worker <= wanted)
                    work.Work(worker);
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
            finally
            {
                Interlocked.Decrement(ref running);
            }
        }
    }

    // Waits for an epoch that was not seen yet.
    private void Await(ref int seen)
    {
        for (int spin = 0; spin < SpinsBeforeSleep; spin++)
        {
            if (Volatile.Read(ref epoch) != seen)
            {
                seen = Volatile.Read(ref epoch);
                return;
            }
            Thread.SpinWait(20);
        }
        Interlocked.Increment(ref sleeping);
        while (Volatile.Read(ref epoch) == seen)
            wake.Wait();
        Interlocked.Decrement(ref sleeping);
        seen = Volatile.Read(ref epoch);
    }
}
