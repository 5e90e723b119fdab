namespace SapaGpu.Workloads;

/// <summary>The direction of a measured call.</summary>
internal enum Pass
{
    Forward,
    Backward,
}

/// <summary>One measured call.</summary>
/// <param name="Operator">The operator.</param>
/// <param name="Pass">Forward or backward.</param>
/// <param name="Workload">The name of the workload, whose stages are run one after the other.</param>
/// <param name="Dtype">The type of the maps.</param>
/// <param name="MemoryFormat">The format of all maps.</param>
/// <param name="MedianMilliseconds">The median time.</param>
/// <param name="Gflops">The operations that are needed at least, in 10⁹ a second.</param>
/// <param name="GigabytesPerSecond">The bytes that have to be read and written at least, in 10⁹ a second.</param>
/// <param name="ShareOfLimit">The time that the limit allows, as a share of the median.</param>
/// <param name="Limit">The limit that binds.</param>
internal sealed record BenchmarkResult(
    Operator Operator,
    Pass Pass,
    string Workload,
    string Dtype,
    MemoryFormat MemoryFormat,
    double MedianMilliseconds,
    double Gflops,
    double GigabytesPerSecond,
    double ShareOfLimit,
    Limit Limit);

/// <summary>The operators on one workload, with the limits of the device measured in the same run.</summary>
/// <param name="Device">The identifier of the device.</param>
/// <param name="Processor">Its name.</param>
/// <param name="Limits">What it can do at most.</param>
/// <param name="Results">The measured calls.</param>
internal sealed record BenchmarkReport(
    string Device, string Processor, DeviceLimits Limits, IReadOnlyList<BenchmarkResult> Results)
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(0.9);
    private static readonly Operator[] Operators =
        [Operator.WindowAttention, Operator.SapaB, Operator.Carafe, Operator.Bilinear, Operator.Nearest];

    private static readonly MemoryFormat[] Formats = [MemoryFormat.ChannelsLast, MemoryFormat.Contiguous];

    /// <summary>Measures the operators in both formats.</summary>
    /// <param name="device">
    /// The device, which should have nothing else to do, and measures times unless it is the CPU.
    /// </param>
    /// <param name="workload">What is upsampled.</param>
    /// <param name="elementType">The type of the maps.</param>
    /// <param name="progress">Is told the share that is done.</param>
    public static BenchmarkReport Create(
        ComputeDevice device, Workload workload, ElementType elementType, Action<double>? progress = null)
    {
        var limits = DeviceLimits.Measure(device);
        var results = new List<BenchmarkResult>();
        foreach (var kind in Operators)
        {
            foreach (var format in Formats)
            {
                using var timer = new OperatorTimer(kind, device, workload, elementType, format);
                results.AddRange(Enum.GetValues<Pass>().Select(pass => Result(
                    kind, pass, workload, elementType, format, timer.MedianSeconds(pass, Duration), limits)));
                progress?.Invoke((double)results.Count / (2 * Operators.Length * Formats.Length));
            }
        }
        return new BenchmarkReport(device.Id, device.Info.Name, limits, results);
    }

    /// <summary>The rates and the share of the limit that follow from a time.</summary>
    public static BenchmarkResult Result(
        Operator kind,
        Pass pass,
        Workload workload,
        ElementType elementType,
        MemoryFormat format,
        double seconds,
        DeviceLimits limits)
    {
        var cost = Cost.Of(kind, pass, workload, elementType);
        var (floor, limit) = cost.Floor(limits);
        return new BenchmarkResult(
            kind,
            pass,
            workload.Name,
            elementType.ShortName(),
            format,
            seconds * 1e3,
            cost.Operations / seconds * 1e-9,
            cost.Bytes / seconds * 1e-9,
            floor / seconds,
            limit);
    }
}
