using System.Collections.Concurrent;
using SapaGpu.Fuzz.Problems;
using SapaGpu.Fuzz.Running;
using SapaGpu.Maps;

namespace SapaGpu.Fuzz.Campaigns;

/// <summary>
/// Many threads on one device, with operands and modules that they share, some of which are disposed meanwhile: every call
/// ends with the bits that it gives alone, or says that something was disposed.
/// </summary>
internal sealed class ConcurrencyCampaign : Campaign
{
    private const int CallsPerThread = 6;

    public override void Run(Case problem)
    {
        var draw = problem.Draw;
        var device = ComputeDevice.Open(
            DeviceKind.Cpu, 0, new DeviceOptions { Threads = draw.Int(1, 4), WorkspaceBytes = draw.Of(1L << 12, 256L << 20) });
        using (device)
        {
            var shared = new List<Shared>();
            for (int i = draw.Int(1, 3); i > 0; i--)
            {
                var (drawn, type) = ProblemCatalogue.Of(problem, ProblemCatalogue.All, FuzzDevices.Types(device));
                shared.Add(type.Dispatch<SharedMaker, Shared>(new(drawn, device)));
            }
            var expected = shared.ConvertAll(one => one.Run());
            int threads = draw.Int(2, 8);
            var victim = (Victim)draw.Int(0, 3);
            var owned = draw.Among(shared).Owned;
            var disposed = draw.Among(owned);
            int pause = draw.Int(0, 200_000);
            problem.Describe($"{threads} threads, {victim} is disposed after {pause} spins");
            var wrong = new ConcurrentQueue<string>();
            var workers = Enumerable.Range(0, threads).Select(thread => Start(() =>
            {
                for (int call = 0; call < CallsPerThread; call++)
                {
                    int number = (thread + call) % shared.Count;
                    Call(shared[number], expected[number], wrong, mayBeDisposed: victim != Victim.Nothing);
                }
            })).ToArray();
            Thread.SpinWait(pause);
            switch (victim)
            {
                case Victim.Operand:
                    disposed.Dispose();
                    break;
                case Victim.AllOperands:
                    foreach (var one in owned)
                        one.Dispose();
                    device.TrimMemory();
                    break;
                case Victim.Device:
                    device.Dispose();
                    break;
                default:
                    break;
            }
            foreach (var worker in workers)
                worker.Join();
            foreach (var one in shared)
                one.Dispose();
            problem.CountCalls(threads * CallsPerThread);
            if (wrong.TryDequeue(out string? first))
                throw new FuzzFailureException($"{wrong.Count + 1} calls were wrong; the first: {first}");
        }
    }

    public override void Dispose()
    {
        // Every case has a device of its own.
    }

    private enum Victim
    {
        Nothing,
        Operand,
        AllOperands,
        Device,
    }

    private static void Call(
        Shared shared, IReadOnlyList<Result> expected, ConcurrentQueue<string> wrong, bool mayBeDisposed)
    {
        try
        {
            if (ResultBits.Difference(shared.Run(), expected) is { } difference)
                wrong.Enqueue(difference);
        }
        catch (ObjectDisposedException) when (mayBeDisposed)
        {
            // The call came too late.
        }
        catch (Exception e)
        {
            wrong.Enqueue(e.ToString());
        }
    }

    private static Thread Start(Action action)
    {
        var thread = new Thread(() => action());
        thread.Start();
        return thread;
    }

    /// <summary>A problem whose operands several threads use.</summary>
    private sealed record Shared(Func<IReadOnlyList<Result>> Run, IReadOnlyList<IDisposable> Owned, Action Release)
        : IDisposable
    {
        public void Dispose() => Release();
    }

    private readonly struct SharedMaker(OperatorProblem problem, ComputeDevice device) : IElementVisitor<Shared>
    {
        public Shared Visit<T>()
            where T : unmanaged
        {
            var (own, maps) = (problem, new ProblemMaps<T>(device, problem));
            return new(
                () =>
                {
                    using var run = new Execution<T>(own, maps);
                    own.Run(run);
                    return run.Read();
                },
                maps.Owned,
                maps.Dispose);
        }
    }
}
