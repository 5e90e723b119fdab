using BenchmarkDotNet.Running;

namespace SapaGpu.Benchmarks;

/// <summary>The benchmarks of BenchmarkDotNet.</summary>
internal static class BenchmarkSuite
{
    private static readonly string[] QuickFilter =
        ["--filter", $"*{nameof(WindowAttentionBenchmarks)}*", $"*{nameof(InterpolationBenchmarks)}*"];

    private static readonly string[] Questions = ["--help", "--version", "--info", "--list"];

    /// <summary>Runs what the arguments select, which are BenchmarkDotNet's but for <c>--quick</c>.</summary>
    /// <returns>0, or 1 where a benchmark failed.</returns>
    public static int Run(string[] arguments)
    {
        Selection.IsQuick = arguments.Contains(Selection.QuickArgument);
        string[] passed = [.. arguments.Where(argument => argument != Selection.QuickArgument)];
        if (Selection.IsQuick && !passed.Contains(QuickFilter[0]))
            passed = [.. passed, .. QuickFilter];
        var summaries = BenchmarkSwitcher.FromAssembly(typeof(BenchmarkSuite).Assembly)
            .Run(passed, SuiteConfiguration.Create(Limits(passed)));
        return summaries.All(summary => !summary.HasCriticalValidationErrors && summary.Reports.All(report => report.Success))
            ? 0
            : 1;
    }

    private static DeviceLimits Limits(string[] arguments)
    {
        if (arguments.Intersect(Questions).Any())
            return new DeviceLimits(1, 1);
        using var device = Device.Open(DeviceKind.Cpu);
        return DeviceLimits.Measure(device);
    }
}
