using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using Perfolizer.Horology;

namespace SapaGpu.Benchmarks;

/// <summary>How the benchmarks are run and reported; every one of them in a process of its own.</summary>
internal static class SuiteConfiguration
{
    // Other work may keep the machine busy.
    private static readonly TimeSpan BuildTimeout = TimeSpan.FromMinutes(10);

    /// <summary>The configuration, with the limits that times are compared with.</summary>
    public static IConfig Create(DeviceLimits limits)
    {
        var config = ManualConfig.Create(DefaultConfig.Instance)
            .WithBuildTimeout(BuildTimeout)
            .AddJob(Selection.IsQuick ? QuickJob : FullJob)
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddColumn(StatisticColumn.Median)
            .AddColumn(RateColumn.All(limits))
            .AddExporter(JsonExporter.Full)
            .AddLogicalGroupRules(BenchmarkLogicalGroupRule.ByCategory, BenchmarkLogicalGroupRule.ByParams);
        return Selection.IsQuick
            ? config.AddFilter(new SimpleFilter(benchmark =>
                Selection.IsQuickMethod(benchmark.Descriptor.WorkloadMethod.Name)))
            : config;
    }

    // The build in the project's own folder has analysed the code.
    private static Job BaseJob => Job.Default
        .WithEnvironmentVariable(AllocatorSettings.Variable, AllocatorSettings.Value)
        .WithArguments(
            [new MsBuildArgument("/p:RunAnalyzers=false"), new MsBuildArgument("/p:GenerateDocumentationFile=false")]);

    private static Job FullJob => BaseJob
        .WithWarmupCount(3)
        .WithIterationCount(10)
        .WithIterationTime(TimeInterval.FromMilliseconds(250))
        .WithId("Full");

    private static Job QuickJob => BaseJob
        .WithLaunchCount(1)
        .WithWarmupCount(1)
        .WithIterationCount(3)
        .WithIterationTime(TimeInterval.FromMilliseconds(100))
        .WithId("Quick");
}
