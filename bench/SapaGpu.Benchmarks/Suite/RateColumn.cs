using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary>A number that follows from the work of a benchmark and its median time.</summary>
/// <param name="name">The heading.</param>
/// <param name="legend">What it means.</param>
/// <param name="value">The text for a work and the seconds that it took.</param>
internal sealed class RateColumn(string name, string legend, Func<Cost, double, string> value) : IColumn
{
    public string Id => $"{nameof(RateColumn)}.{name}";

    public string ColumnName => name;

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string Legend => legend;

    /// <summary>The rates, and the time that the limits of the machine allow as a share of the time taken.</summary>
    public static RateColumn[] All(DeviceLimits limits) =>
    [
        new("GFLOP/s", "Operations needed at least, in 10^9 a second", (cost, seconds) =>
            Text(cost.Operations / seconds * 1e-9)),
        new("GB/s", "Bytes read and written at least, in 10^9 a second", (cost, seconds) =>
            Text(cost.Bytes / seconds * 1e-9)),
        new("Of limit", LimitLegend(limits), (cost, seconds) =>
        {
            var (floor, limit) = cost.Floor(limits);
            return string.Create(CultureInfo.InvariantCulture, $"{floor / seconds * 100:f0} % {limit}");
        }),
    ];

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        if (summary[benchmarkCase]?.ResultStatistics is not { } statistics)
            return "NA";
        return value(CostOf(benchmarkCase), statistics.Median * 1e-9);
    }

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) =>
        GetValue(summary, benchmarkCase);

    private static Cost CostOf(BenchmarkCase benchmarkCase)
    {
        var type = benchmarkCase.Descriptor.Type;
        var benchmarks = (MeasuredBenchmarks)Activator.CreateInstance(type)!;
        foreach (var parameter in benchmarkCase.Parameters.Items)
            type.GetProperty(parameter.Name)!.SetValue(benchmarks, parameter.Value);
        return benchmarks.CostOf(benchmarkCase.Descriptor.WorkloadMethod.Name);
    }

    private static string Text(double rate) => rate.ToString("f1", CultureInfo.InvariantCulture);

    private static string LimitLegend(DeviceLimits limits) => string.Create(
        CultureInfo.InvariantCulture,
        $"Time that the limits allow, of the median: Fma {limits.FmaGflops:f0} GFLOP/s, Copy {limits.CopyGBps:f1} GB/s");
}
