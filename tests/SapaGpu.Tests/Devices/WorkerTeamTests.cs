using System.Diagnostics;
using System.Reflection;
using NUnit.Framework;
using SapaGpu.Devices;

namespace SapaGpu.Tests.Devices;

/// <summary>The threads of the CPU device: everything is done once, whoever comes late, fails or goes away.</summary>
[TestFixture]
[NonParallelizable]
public sealed class WorkerTeamTests
{
    // A lost wake-up would wait for ever.
    private const int PatienceMilliseconds = 30_000;

    // Longer than a thread watches for work before it sleeps.
    private const int PauseMilliseconds = 15;

    [Test, CancelAfter(PatienceMilliseconds)]
    public void Every_tile_is_done_once([Range(1, 8)] int threads)
    {
        var random = new Random(threads);
        using var team = new WorkerTeam(threads);
        for (int round = 0; round < 3000; round++)
        {
            var job = new CountingJob(random.Next(1, 200), work: random.Next(0, 30));

            // A job may want fewer threads than there are, or more.
            team.Run(job, random.Next(1, threads + 2));
            Assert.That(job.Counts, Is.All.EqualTo(1), $"round {round}");
        }
    }

    [Test, CancelAfter(PatienceMilliseconds)]
    public void Threads_that_sleep_wake_up([Values(2, 4, 8)] int threads)
    {
        using var team = new WorkerTeam(threads);
        for (int round = 0; round < 30; round++)
        {
            var job = new GatheringJob(threads);
            team.Run(job, threads);
            Assert.That(job.Numbers, Is.EquivalentTo(Enumerable.Range(0, threads)), $"round {round}");
            if (round % 3 != 2)
                Thread.Sleep(PauseMilliseconds);
        }
    }

    [Test, CancelAfter(PatienceMilliseconds)]
    public void No_more_threads_take_part_than_are_wanted()
    {
        using var team = new WorkerTeam(6);
        for (int round = 0; round < 500; round++)
        {
            var job = new CountingJob(300, work: 5);
            team.Run(job, 3);
            Assert.That(job.Workers, Is.All.LessThan(3), $"round {round}");
            Assert.That(job.MostAtOnce, Is.LessThanOrEqualTo(3), $"round {round}");
        }
    }

    [Test, CancelAfter(PatienceMilliseconds)]
    public void A_failure_of_any_thread_reaches_the_caller([Values(0, 1, 3)] int failing)
    {
        using var team = new WorkerTeam(4);
        for (int round = 0; round < 50; round++)
        {
            var job = new GatheringJob(4, failing);
            var failure = Assert.Throws<InvalidOperationException>(() => team.Run(job, 4));
            Assert.That(failure!.Message, Is.EqualTo($"worker {failing}"));
            Assert.That(failure.StackTrace, Does.Contain(nameof(GatheringJob)));
            if (round % 10 == 0)
                Thread.Sleep(PauseMilliseconds);
            var next = new CountingJob(100, work: 5);
            team.Run(next, 4);
            Assert.That(next.Counts, Is.All.EqualTo(1), $"round {round}");
        }
        var last = new GatheringJob(4);
        team.Run(last, 4);
        Assert.That(last.Numbers, Has.Count.EqualTo(4));
    }

    [Test, CancelAfter(PatienceMilliseconds)]
    public void When_the_caller_fails_nobody_is_at_work_any_more()
    {
        using var team = new WorkerTeam(4);
        for (int round = 0; round < 50; round++)
        {
            var job = new LingeringJob();
            Assert.That(() => team.Run(job, 4), Throws.InvalidOperationException);
            Assert.That(job.AtWork, Is.Zero, $"round {round}");
        }
    }

    [Test, CancelAfter(PatienceMilliseconds)]
    public void Callers_take_turns()
    {
        using var team = new WorkerTeam(3);
        int callers = 0;
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, caller =>
        {
            var random = new Random(caller);
            for (int round = 0; round < 1000; round++)
            {
                var job = new CountingJob(
                    random.Next(1, 50), work: 10, entered: () => Interlocked.Increment(ref callers));
                team.Run(job, 3);
                Assert.That(job.Counts, Is.All.EqualTo(1), $"caller {caller} round {round}");
            }
        });
        Assert.That(callers, Is.GreaterThanOrEqualTo(4000));
    }

    [Test, CancelAfter(PatienceMilliseconds)]
    public void Disposing_ends_the_threads([Values(0, PauseMilliseconds)] int pause)
    {
        for (int round = 0; round < 20; round++)
        {
            var team = new WorkerTeam(5);
            var job = new GatheringJob(5);
            team.Run(job, 5);
            var workers = job.Threads.Where(thread => thread != Thread.CurrentThread).ToArray();
            Assert.That(workers, Has.Length.EqualTo(4));
            Assert.That(workers.Select(thread => thread.IsAlive), Is.All.True);
            Thread.Sleep(pause);
            team.Dispose();
            Assert.That(workers.Select(thread => thread.IsAlive), Is.All.False, $"round {round}");
            Assert.That(team.Dispose, Throws.Nothing);
        }
    }

    [Test, CancelAfter(PatienceMilliseconds)]
    public void A_team_that_never_ran_starts_no_threads()
    {
        var field = typeof(WorkerTeam).GetField("threads", BindingFlags.Instance | BindingFlags.NonPublic)!;
        var team = new WorkerTeam(5);
        var threads = (Thread[])field.GetValue(team)!;
        Assert.That(threads, Has.Length.EqualTo(4));
        team.Dispose();
        Assert.That(threads.Select(thread => thread.IsAlive), Is.All.False);
        Assert.That(new WorkerTeam(1).Dispose, Throws.Nothing);
        Assert.That(new WorkerTeam(0).Dispose, Throws.Nothing);
    }

    [Test, CancelAfter(PatienceMilliseconds)]
    public void Devices_leave_no_threads_behind()
    {
        void Use()
        {
            using var device = ComputeDevice.Open("cpu", new DeviceOptions { Threads = 4 });
            using var input = FeatureMap<float>.Create(device, new MapShape(1, 16, 100, 100));
            input.Clear();
            using var output = Interpolate.Forward(input, 200, 200);
        }
        Use();
        int before = ThreadCount();
        for (int round = 0; round < 20; round++)
            Use();

        // Threads of the runtime come and go; twenty devices with three threads each would be sixty.
        var patience = Stopwatch.StartNew();
        while (ThreadCount() > before + 15 && patience.ElapsedMilliseconds < 5000)
            Thread.Sleep(20);
        Assert.That(ThreadCount(), Is.LessThanOrEqualTo(before + 15));
    }

    private static int ThreadCount()
    {
        using var process = Process.GetCurrentProcess();
        return process.Threads.Count;
    }

    // Threads take tiles from a counter, as a vector program does.
    private sealed class CountingJob(int tiles, int work, Action? entered = null) : TeamJob
    {
        private readonly HashSet<int> workers = [];
        private int taken;
        private int atOnce;
        private int most;

        public int[] Counts { get; } = new int[tiles];

        public IReadOnlyCollection<int> Workers => workers;

        public int MostAtOnce => most;

        public override void Work(int worker)
        {
            entered?.Invoke();
            int now = Interlocked.Increment(ref atOnce);
            lock (workers)
            {
                workers.Add(worker);
                most = Math.Max(most, now);
            }
            for (int tile; (tile = Interlocked.Increment(ref taken) - 1) < Counts.Length;)
            {
                Thread.SpinWait(work);
                Interlocked.Increment(ref Counts[tile]);
            }
            Interlocked.Decrement(ref atOnce);
        }
    }

    // Nobody leaves before everybody has come; then one may fail.
    private sealed class GatheringJob(int expected, int failing = -1) : TeamJob
    {
        private readonly Dictionary<int, Thread> seen = [];

        public IReadOnlyCollection<int> Numbers => seen.Keys;

        public IReadOnlyCollection<Thread> Threads => seen.Values;

        public override void Work(int worker)
        {
            lock (seen)
            {
                // A thread that comes again, after everybody has come, has nothing to do.
                if (!seen.TryAdd(worker, Thread.CurrentThread))
                    return;
                Monitor.PulseAll(seen);
                while (seen.Count < expected)
                    Monitor.Wait(seen);
            }
            if (worker == failing)
                throw new InvalidOperationException($"worker {worker}");
        }
    }

    // The caller fails while the others are still at work.
    private sealed class LingeringJob : TeamJob
    {
        private int atWork;

        public int AtWork => Volatile.Read(ref atWork);

        public override void Work(int worker)
        {
            if (worker == 0)
            {
                SpinWait.SpinUntil(() => AtWork > 0, 1000);
                throw new InvalidOperationException();
            }
            Interlocked.Increment(ref atWork);
            Thread.Sleep(1);
            Interlocked.Decrement(ref atWork);
        }
    }
}
