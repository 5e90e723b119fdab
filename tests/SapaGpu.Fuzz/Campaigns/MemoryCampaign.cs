using System.Diagnostics;
using SapaGpu.Fuzz.Problems;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Campaigns;

/// <summary>
/// The same calls over and over, in another order in every round: after every call the device uses what it used before,
/// and after some rounds neither the device nor the process holds more.
/// </summary>
internal sealed class MemoryCampaign : Campaign
{
    private const int Problems = 40;
    private const int RoundsToWarmUp = 3;
    private const int MostCollections = 4;
    private const long LargestGrowth = 48L << 20;

    private readonly ComputeDevice device = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = 2 });
    private readonly List<(OperatorProblem Problem, ElementType Type)> problems = [];
    private long held;
    private long workingSet;

    public override void Run(Case problem)
    {
        var draw = problem.Draw;
        if (problems.Count == 0)
        {
            // The same problems in every case of a seed.
            for (int i = 0; i < Problems; i++)
            {
                problems.Add(ProblemCatalogue.Of(
                    new Case(problem.Seed, -1 - i, casesPerKernel: 1), ProblemCatalogue.All, FuzzDevices.Types(device)));
            }
        }
        long used = device.UsedBytes;
        var (drawn, type) = problems[(int)(problem.Number % Problems)];
        problem.Describe(drawn.Describe(type));
        problem.CountCalls(drawn.RunOnce(device, type).Count);
        if (draw.OnceIn(8))
            SaveAndLoad();
        if (draw.OnceIn(16))
            OpenAndClose(draw, drawn, type);

        // Tables of ranges stay until nobody knows the ranges any more: what keeps them is found in one collection, they in the next.
        for (int i = 0; i < MostCollections && device.UsedBytes != used; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        if (device.UsedBytes != used)
            throw new FuzzFailureException($"The device uses {device.UsedBytes} bytes after the call, and {used} before.");
        long round = problem.Number / Problems;
        if (round == RoundsToWarmUp)
            held = Math.Max(held, device.HeldBytes);
        else if (round > RoundsToWarmUp && held > 0 && device.HeldBytes > held)
            throw new FuzzFailureException($"The device holds {device.HeldBytes} bytes, and held {held} after {RoundsToWarmUp} rounds.");
        if (problem.Number % Problems == Problems - 1)
            CheckProcess(round);
    }

    public override void Dispose() => device.Dispose();

    private void CheckProcess(long round)
    {
        if (round < RoundsToWarmUp)
            return;
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        long now = process.WorkingSet64;
        if (workingSet == 0)
            workingSet = now;
        else if (now - workingSet > LargestGrowth)
            throw new FuzzFailureException($"The process has {now >> 20} MiB, and had {workingSet >> 20} MiB after warming up.");
    }

    private void SaveAndLoad()
    {
        using var module = new SapaUpsampler<float>(device, new SapaOptions { EncoderChannels = 8, DecoderChannels = 8 });
        using var stream = new MemoryStream();
        module.ToStateDict().Save(stream);
        stream.Position = 0;
        module.Load(StateDict.Load(stream));
    }

    private static void OpenAndClose(Draw draw, OperatorProblem problem, ElementType type)
    {
        using var other = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = draw.Int(1, 3) });
        problem.RunOnce(other, type);
    }
}
