using SapaGpu.Workloads;

namespace SapaGpu.DeviceBenchmarks;

/// <summary>Compares the operators of a device with those of the CPU, then times them.</summary>
/// <param name="device">The device, which measures times and has nothing else to do.</param>
/// <param name="workload">What is timed.</param>
/// <param name="compared">What is compared.</param>
/// <param name="duration">How long a call is timed.</param>
internal sealed class DeviceMeasurement(ComputeDevice device, Workload workload, Workload compared, TimeSpan duration)
{
    private const double Mebibyte = 1 << 20;

    private readonly List<DeviceResult> results = [];
    private readonly List<DeviceFailure> failures = [];

    /// <summary>Gets the operators that are measured.</summary>
    public static IReadOnlyList<Operator> Operators { get; } =
    [
        Operator.WindowAttention, Operator.SapaB, Operator.SapaD, Operator.Deformable, Operator.Carafe, Operator.Bilinear,
        Operator.Nearest,
    ];

    /// <summary>Measures all operators.</summary>
    /// <param name="types">The types of the tensors.</param>
    /// <param name="progress">Is told what is done.</param>
    /// <param name="save">Is given what is known so far, after every operator.</param>
    public DeviceReport Run(IEnumerable<ElementType> types, Action<string> progress, Action<DeviceReport> save)
    {
        var limits = DeviceLimits.Measure(device);
        var report = new DeviceReport(
            device.Id, device.Info.Name, device.Info.Details, workload.Name, limits, results, failures);
        var cases =
            from type in types
            from kind in Operators
            from format in Enum.GetValues<MemoryFormat>()
            select (kind, type, format);
        foreach (var (kind, type, format) in cases)
        {
            try
            {
                Measure(kind, type, format, limits, progress);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                Fail(kind, type, format, e.Message, progress);
            }
            save(report);
        }
        return report;
    }

    private void Measure(
        Operator kind, ElementType type, MemoryFormat format, DeviceLimits limits, Action<string> progress)
    {
        var errors = CompareWithCpu(kind, type, format);
        foreach (var (name, error) in errors.Values.Where(worst => !(worst.Error <= SampleComparison.Tolerance(type))))
        {
            Fail(kind, type, format, FormattableString.Invariant(
                $"The {name} differs from the CPU's by {error:g3} of its largest value."), progress);
            return;
        }
        var extra = Enum.GetValues<Pass>().ToDictionary(pass => pass, pass => ExtraBytes(kind, pass, type, format));
        using var timer = new OperatorTimer(kind, device, workload, type, format);
        foreach (var pass in Enum.GetValues<Pass>())
        {
            var timing = BenchmarkReport.Result(
                kind, pass, workload, type, format, timer.MedianSeconds(pass, duration), limits);
            var result = new DeviceResult(
                timing, timer.HostSeconds(pass, duration / 4) * 1e6, extra[pass] / Mebibyte, errors[pass].Error);
            results.Add(result);
            progress(FormattableString.Invariant(
                $"{Name(kind, type, format)}, {BenchmarkJson.Name(pass)}: {timing.MedianMilliseconds:g4} ms"));
        }
    }

    private Dictionary<Pass, (string Result, double Error)> CompareWithCpu(
        Operator kind, ElementType type, MemoryFormat format)
    {
        using var cpu = ComputeDevice.Open(DeviceKind.Cpu);
        var samples = compared.Stages
            .Select(stage => (Actual: Sample(device, stage), Expected: Sample(cpu, stage)))
            .ToArray();
        return Enum.GetValues<Pass>().ToDictionary(
            pass => pass,
            pass => SampleComparison.Worst(
                samples.Select(pair => SampleComparison.Worst(pass, pair.Actual, pair.Expected))));

        OperatorSample Sample(ComputeDevice on, Stage stage)
        {
            using var run = OperatorRun.Create(kind, on, stage, type, format);
            return run.Sample();
        }
    }

    private long ExtraBytes(
        Operator kind, Pass pass, ElementType type, MemoryFormat format) => workload.Stages.Max(stage =>
        CallMemory.Measure(
            kind, stage, pass == Pass.Forward ? Call.Forward : Call.Backward, type, format, device).NativeBytes);

    private void Fail(Operator kind, ElementType type, MemoryFormat format, string reason, Action<string> progress)
    {
        failures.Add(new DeviceFailure(kind, type.ShortName(), format, reason));
        progress($"{Name(kind, type, format)}: {reason}");
    }

    private static string Name(Operator kind, ElementType type, MemoryFormat format) =>
        $"{BenchmarkJson.Name(kind)}, {type.ShortName()}, {BenchmarkJson.Name(format)}";
}
