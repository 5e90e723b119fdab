using BenchmarkDotNet.Attributes;
using SapaGpu.Workloads;
using TorchSharp;

namespace SapaGpu.Benchmarks;

/// <summary>
/// A training step's share of a module, forward and backward by libtorch's autograd: the modules of SapaGpu.TorchSharp
/// beside the composition of libtorch's own functions.
/// </summary>
public class TorchModuleBenchmarks : WorkloadBenchmarks
{
    private IReadOnlyList<TorchModule> modules = [];
    private IReadOnlyList<Peer> peers = [];

    [Params(nameof(Operator.SapaI), nameof(Operator.SapaB), nameof(Operator.SapaG), nameof(Operator.SapaD))]
    public override string Operation { get; set; } = "";

    [GlobalSetup(Target = nameof(Both))]
    public void Setup()
    {
        modules = [.. Chosen.Stages.Select(stage => TorchModule.Create(Kind, stage, Type, Format))];
        torch.set_num_threads(Environment.ProcessorCount);
    }

    [GlobalSetup(Target = nameof(TorchBoth))]
    public void SetupTorch()
    {
        peers = [.. Chosen.Stages.Select(stage => Peer.Create(Kind, stage, Type, Format, isChecked: true))];
        torch.set_num_threads(Environment.ProcessorCount);
    }

    [Benchmark]
    public void Both()
    {
        foreach (var module in modules)
            module.Both();
    }

    [Benchmark(Baseline = true)]
    public void TorchBoth()
    {
        foreach (var peer in peers)
            peer.Run(Call.Both);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (var module in modules)
            module.Dispose();
        foreach (var peer in peers)
            peer.Dispose();
    }

    internal override Cost CostOf(string method) =>
        Cost.Of(Kind, Pass.Forward, Chosen, Type) + Cost.Of(Kind, Pass.Backward, Chosen, Type);
}
