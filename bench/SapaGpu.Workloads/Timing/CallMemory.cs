namespace SapaGpu.Workloads;

/// <summary>The memory that a call of ours takes.</summary>
/// <param name="ManagedBytes">Bytes of the garbage collector's heap, once everything is warm.</param>
/// <param name="NativeBytes">Bytes of the device's pool beyond operands and results.</param>
internal readonly record struct CallMemory(long ManagedBytes, long NativeBytes)
{
    private const int Calls = 10;

    /// <summary>Measures on the CPU.</summary>
    public static CallMemory Measure(Operator kind, Stage stage, Call call, ElementType type, MemoryFormat format)
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        return Measure(kind, stage, call, type, format, device);
    }

    /// <summary>Measures on a device that has nothing else to do.</summary>
    public static CallMemory Measure(
        Operator kind, Stage stage, Call call, ElementType type, MemoryFormat format, ComputeDevice device)
    {
        using var run = OperatorRun.Create(kind, device, stage, type, format);
        device.Synchronize();
        device.TrimMemory();
        long operands = device.HeldBytes;
        Run(run, call);
        device.Synchronize();

        // The pool keeps what it is given back, so that what it holds is the peak. Results that the call makes are no
        // extra.
        long results = MakesResults(kind) ? ResultBytes.Of(kind, stage, call, type) : 0;
        long native = Math.Max(0, device.HeldBytes - operands - results);
        return new CallMemory(ManagedBytesOf(run, call), native);
    }

    private static long ManagedBytesOf(OperatorRun run, Call call)
    {
        Run(run, call);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < Calls; i++)
            Run(run, call);
        return (GC.GetTotalAllocatedBytes(precise: true) - before) / Calls;
    }

    // The others write into maps of the caller.
    private static bool MakesResults(Operator kind) => kind is Operator.SapaI or Operator.SapaB or Operator.SapaG
        or Operator.SapaD or Operator.Deformable or Operator.CarafeModule;

    private static void Run(OperatorRun run, Call call)
    {
        if (call == Call.Forward)
            run.Forward();
        else if (call == Call.Backward)
            run.Backward();
        else
            run.Both();
    }
}
