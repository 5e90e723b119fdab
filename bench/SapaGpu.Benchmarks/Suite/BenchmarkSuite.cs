using BenchmarkDotNet.Running;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary>The benchmarks of BenchmarkDotNet.</summary>
internal static class BenchmarkSuite
{
    private static readonly string[] QuickFilter =
        ["--filter", $"*{nameof(WindowAttentionBenchmarks)}*", $"*{nameof(InterpolationBenchmarks)}*{nameof(Operator.Bilinear)}*"];

    private static readonly string[] Questions = ["--help", "--version", "--info", "--list"];

    /// <summary>Runs what the arguments select, which are BenchmarkDotNet's but for <c>--quick</c>.</summary>
    /// <returns>0, or 1 where a benchmark failed or none was selected.</returns>
    public static int Run(string[] arguments)
    {
        Selection.IsQuick = arguments.Contains(Selection.QuickArgument);
        string[] passed = [.. arguments.Where(argument => argument != Selection.QuickArgument)];
        if (Selection.IsQuick && !passed.Contains(QuickFilter[0]))
            passed = [.. passed, .. QuickFilter];
        bool onlyAsks = passed.Intersect(Questions).Any();
        var limits = onlyAsks ? new DeviceLimits(1, 1) : Limits();
        var reports = BenchmarkSwitcher.FromAssembly(typeof(BenchmarkSuite).Assembly)
            .Run(passed, SuiteConfiguration.Create(limits))
            .SelectMany(summary => summary.Reports)
            .ToArray();
        return onlyAsks || (reports.Length > 0 && reports.All(report => report.Success)) ? 0 : 1;
    }

    // The best of several seconds, lest a moment in which the machine has something else to do makes every share too
    // large.
    private static DeviceLimits Limits()
    {
        const int Measurements = 5;
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        var limits = new DeviceLimits(0, 0);
        for (int i = 0; i < Measurements; i++)
        {
            var measured = DeviceLimits.Measure(device);
            limits = new DeviceLimits(
                Math.Max(limits.FmaGflops, measured.FmaGflops), Math.Max(limits.CopyGBps, measured.CopyGBps));
        }
        return limits;
    }
}
