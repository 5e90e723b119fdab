using BenchmarkDotNet.Attributes;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary>Cross-resolution attention on given query, key and value.</summary>
public class CrossAttentionBenchmarks : OperatorBenchmarks
{
    [Params(nameof(Operator.CrossAttention))]
    public override string Operation { get; set; } = "";
}
