using BenchmarkDotNet.Attributes;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary>CARAFE with the prediction of its kernels, and reassembly by given ones.</summary>
public class CarafeBenchmarks : OperatorBenchmarks
{
    [Params(nameof(Operator.Carafe), nameof(Operator.CarafeModule))]
    public override string Operation { get; set; } = "";
}
