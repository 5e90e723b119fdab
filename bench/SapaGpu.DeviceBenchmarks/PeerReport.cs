using SapaGpu.Workloads;

namespace SapaGpu.DeviceBenchmarks;

/// <summary>One call of another implementation, measured.</summary>
/// <param name="Operator">The operator.</param>
/// <param name="Pass">Forward or backward.</param>
/// <param name="Dtype">The type of the tensors.</param>
/// <param name="MemoryFormat">The format of all maps.</param>
/// <param name="Implementation">How it is written, such as "eager" or "compile".</param>
/// <param name="MedianMilliseconds">The median time by the device's clock.</param>
/// <param name="ExtraMebibytes">Device memory beyond operands and results; null where it is not known.</param>
/// <param name="LargestError">The largest difference from ours on the CPU, as a share of the largest value.</param>
internal sealed record PeerResult(
    Operator Operator,
    Pass Pass,
    string Dtype,
    MemoryFormat MemoryFormat,
    string Implementation,
    double MedianMilliseconds,
    double? ExtraMebibytes,
    double LargestError);

/// <summary>A call of another implementation that was not timed.</summary>
/// <param name="Operator">The operator.</param>
/// <param name="Dtype">The type of the tensors.</param>
/// <param name="MemoryFormat">The format of all maps.</param>
/// <param name="Implementation">How it is written.</param>
/// <param name="Reason">Why.</param>
internal sealed record PeerFailure(
    Operator Operator, string Dtype, MemoryFormat MemoryFormat, string Implementation, string Reason);

/// <summary>Other implementations on the same device.</summary>
/// <param name="Device">The name of the device.</param>
/// <param name="Library">The library and its version.</param>
/// <param name="CopyGBps">Its copy rate of large maps, read and written bytes.</param>
/// <param name="Results">The measured calls.</param>
/// <param name="Failures">What does not agree with ours, or did not run.</param>
internal sealed record PeerReport(
    string Device,
    string Library,
    double CopyGBps,
    IReadOnlyList<PeerResult> Results,
    IReadOnlyList<PeerFailure> Failures)
{
    /// <summary>Joins measurements of several runs, as <see cref="DeviceReport.Join"/> does.</summary>
    /// <exception cref="InvalidDataException">They are of different devices or libraries.</exception>
    public static PeerReport Join(IReadOnlyList<PeerReport> runs)
    {
        MeasuredRuns.CheckSame(
            [.. runs.Select(run => $"{run.Library} on {run.Device}")],
            "are no columns of one table; give files of one device and library");
        return runs[^1] with
        {
            Results = MeasuredRuns.Join(runs.Select(run => run.Results), result => (
                result.Operator, result.Pass, result.Dtype, result.MemoryFormat, result.Implementation)),
            Failures = MeasuredRuns.Join(runs.Select(run => run.Failures), failure => (
                failure.Operator, failure.Dtype, failure.MemoryFormat, failure.Implementation)),
        };
    }
}
