using BenchmarkDotNet.Attributes;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary>The module SAPA-D, and attention over points at given offsets.</summary>
public class SapaDeformableBenchmarks : OperatorBenchmarks
{
    [Params(nameof(Operator.SapaD), nameof(Operator.Deformable))]
    public override string Operation { get; set; } = "";
}
