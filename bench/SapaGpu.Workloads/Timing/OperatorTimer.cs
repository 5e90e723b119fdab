namespace SapaGpu.Workloads;

/// <summary>
/// Times an operator on a workload. On a GPU by the device's own clock, and on several sets of operands by turns: what
/// a call reads has then left the caches since it was read last, as in a network.
/// </summary>
internal sealed class OperatorTimer : IDisposable
{
    // Far more than the second-level cache of a large GPU.
    private const long RotatedBytes = 256L << 20;
    private const int MostSets = 16;
    private const int QueuedCalls = 20;

    // Calls that are timed for less are warmed up for less.
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(0.3);
    private static readonly TimeSpan QueueWarmUp = TimeSpan.FromSeconds(0.05);

    private readonly ComputeDevice device;
    private readonly List<OperatorRun[]> sets = [];
    private int turn;

    /// <summary>Makes the operands.</summary>
    /// <param name="kind">The operator.</param>
    /// <param name="device">The device; one that is not the CPU has to measure times.</param>
    /// <param name="workload">What is upsampled, all stages one after the other.</param>
    /// <param name="type">The type of the maps.</param>
    /// <param name="format">The format of all maps.</param>
    public OperatorTimer(Operator kind, ComputeDevice device, Workload workload, ElementType type, MemoryFormat format)
    {
        this.device = device;
        try
        {
            long before = device.UsedBytes;
            sets.Add(Create());
            long setBytes = Math.Max(1, device.UsedBytes - before);
            long count = device.Kind == DeviceKind.Cpu ? 1 : Math.Clamp(RotatedBytes / setBytes, 2, MostSets);
            while (sets.Count < count)
                sets.Add(Create());
        }
        catch
        {
            Dispose();
            throw;
        }

        OperatorRun[] Create() =>
            [.. workload.Stages.Select(stage => OperatorRun.Create(kind, device, stage, type, format))];
    }

    /// <summary>The median time of a call in seconds.</summary>
    public double MedianSeconds(Pass pass, TimeSpan duration) =>
        Stopclock.Collect(() => Seconds(pass), duration < LongestWarmUp ? duration : LongestWarmUp, duration).Median();

    /// <summary>The median time in seconds that a call, once warm, holds up the thread that makes it.</summary>
    public double HostSeconds(Pass pass, TimeSpan duration)
    {
        // As many calls as the duration has room for, up to those that a queue takes.
        int calls = (int)Math.Clamp(duration.TotalSeconds / Stopclock.Seconds(() => Run(Next(), pass)), 1, QueuedCalls);
        return Stopclock.Collect(
            () =>
            {
                device.Synchronize();
                return Stopclock.Seconds(() =>
                {
                    for (int call = 0; call < calls; call++)
                        Run(Next(), pass);
                }) / calls;
            },
            QueueWarmUp,
            duration).Median();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var run in sets.SelectMany(set => set))
            run.Dispose();
    }

    private static void Run(OperatorRun[] runs, Pass pass)
    {
        foreach (var run in runs)
        {
            if (pass == Pass.Forward)
                run.Forward();
            else
                run.Backward();
        }
    }

    private double Seconds(Pass pass)
    {
        var runs = Next();
        return device.Kind == DeviceKind.Cpu
            ? Stopclock.Seconds(() => Run(runs, pass))
            : device.MeasureTime(() => Run(runs, pass)).TotalSeconds;
    }

    private OperatorRun[] Next()
    {
        turn = (turn + 1) % sets.Count;
        return sets[turn];
    }
}
