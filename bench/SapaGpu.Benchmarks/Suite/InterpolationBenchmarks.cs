using BenchmarkDotNet.Attributes;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary>Interpolation, which knows no guide.</summary>
public class InterpolationBenchmarks : OperatorBenchmarks
{
    [Params(nameof(Operator.Bilinear), nameof(Operator.Nearest))]
    public override string Operation { get; set; } = "";
}
