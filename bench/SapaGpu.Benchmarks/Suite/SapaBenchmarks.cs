using BenchmarkDotNet.Attributes;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary>The modules SAPA-I, -B and -G.</summary>
public class SapaBenchmarks : OperatorBenchmarks
{
    [Params(nameof(Operator.SapaI), nameof(Operator.SapaB), nameof(Operator.SapaG))]
    public override string Operation { get; set; } = "";
}
