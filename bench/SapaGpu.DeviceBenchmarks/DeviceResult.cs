using SapaGpu.Workloads;

namespace SapaGpu.DeviceBenchmarks;

/// <summary>One call on a device, measured.</summary>
/// <param name="Timing">Its time by the device's clock, and rates.</param>
/// <param name="HostMicroseconds">How long a warm call holds up the thread that makes it.</param>
/// <param name="ExtraMebibytes">Device memory beyond operands and results.</param>
/// <param name="LargestError">The largest difference from the CPU, as a share of the largest value.</param>
internal sealed record DeviceResult(
    BenchmarkResult Timing, double HostMicroseconds, double ExtraMebibytes, double LargestError);

/// <summary>A call that was not timed.</summary>
/// <param name="Operator">The operator.</param>
/// <param name="Dtype">The type of the tensors.</param>
/// <param name="MemoryFormat">The format of all maps.</param>
/// <param name="Reason">Why.</param>
internal sealed record DeviceFailure(Operator Operator, string Dtype, MemoryFormat MemoryFormat, string Reason);

/// <summary>The operators on a device.</summary>
/// <param name="Device">The identifier of the device.</param>
/// <param name="Processor">Its name.</param>
/// <param name="Details">What else is known of it.</param>
/// <param name="Workload">What is upsampled.</param>
/// <param name="Limits">What the device can do at most, measured in the same run.</param>
/// <param name="Results">The measured calls.</param>
/// <param name="Failures">What does not agree with the CPU, or did not run.</param>
internal sealed record DeviceReport(
    string Device,
    string Processor,
    string Details,
    string Workload,
    DeviceLimits Limits,
    IReadOnlyList<DeviceResult> Results,
    IReadOnlyList<DeviceFailure> Failures)
{
    /// <summary>
    /// Joins measurements of several runs: what was measured more than once is what the last run measured, and so are the
    /// limits.
    /// </summary>
    /// <exception cref="InvalidDataException">They are of different devices or workloads.</exception>
    public static DeviceReport Join(IReadOnlyList<DeviceReport> runs)
    {
        MeasuredRuns.CheckSame(
            [.. runs.Select(run => $"{run.Workload} on {run.Processor}")],
            "are no rows of one table; give files of one device and workload");
        return runs[^1] with
        {
            Results = MeasuredRuns.Join(runs.Select(run => run.Results), result => (
                result.Timing.Operator, result.Timing.Pass, result.Timing.Dtype, result.Timing.MemoryFormat)),
            Failures = MeasuredRuns.Join(runs.Select(run => run.Failures), failure => (
                failure.Operator, failure.Dtype, failure.MemoryFormat)),
        };
    }
}
