using BenchmarkDotNet.Attributes;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary>Window attention on given query, key and value.</summary>
public class WindowAttentionBenchmarks : OperatorBenchmarks
{
    [Params(nameof(Operator.WindowAttention))]
    public override string Operation { get; set; } = "";
}
