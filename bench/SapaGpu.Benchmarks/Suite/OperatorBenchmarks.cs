using BenchmarkDotNet.Attributes;
using SapaGpu.Workloads;
using TorchSharp;

namespace SapaGpu.Benchmarks;

/// <summary>
/// An operator on the CPU beside its peer, composed of libtorch's. The two are set up apart: a process that times ours
/// never touches libtorch, whose threads go on spinning after their work.
/// </summary>
public abstract class OperatorBenchmarks : WorkloadBenchmarks
{
    private const string TorchPrefix = "Torch";

    private ComputeDevice? device;
    private IReadOnlyList<OperatorRun> runs = [];
    private IReadOnlyList<Peer> peers = [];

    [GlobalSetup(Targets = [nameof(Forward), nameof(Backward), nameof(Both)])]
    public void Setup()
    {
        device = ComputeDevice.Open(DeviceKind.Cpu);
        runs = [.. Chosen.Stages.Select(stage => OperatorRun.Create(Kind, device, stage, Type, Format))];
    }

    [GlobalSetup(Targets = [nameof(TorchForward), nameof(TorchBackward), nameof(TorchBoth)])]
    public void SetupTorch()
    {
        peers = [.. Chosen.Stages.Select(stage => Peer.Create(Kind, stage, Type, Format, isChecked: true))];
        torch.set_num_threads(Environment.ProcessorCount);
        foreach (var peer in peers)
            peer.PrepareBackward();
    }

    [Benchmark]
    [BenchmarkCategory(nameof(Call.Forward))]
    public void Forward()
    {
        foreach (var run in runs)
            run.Forward();
        device!.Synchronize();
    }

    [Benchmark(Baseline = true)]
    [BenchmarkCategory(nameof(Call.Forward))]
    public void TorchForward() => Torch(Call.Forward);

    [Benchmark]
    [BenchmarkCategory(nameof(Call.Backward))]
    public void Backward()
    {
        foreach (var run in runs)
            run.Backward();
        device!.Synchronize();
    }

    [Benchmark(Baseline = true)]
    [BenchmarkCategory(nameof(Call.Backward))]
    public void TorchBackward() => Torch(Call.Backward);

    [Benchmark]
    [BenchmarkCategory(nameof(Call.Both))]
    public void Both()
    {
        foreach (var run in runs)
            run.Both();
        device!.Synchronize();
    }

    [Benchmark(Baseline = true)]
    [BenchmarkCategory(nameof(Call.Both))]
    public void TorchBoth() => Torch(Call.Both);

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (var peer in peers)
            peer.Dispose();
        foreach (var run in runs)
            run.Dispose();
        device?.Dispose();
    }

    internal override Cost CostOf(string method)
    {
        var call = Enum.Parse<Call>(method.StartsWith(TorchPrefix, StringComparison.Ordinal)
            ? method[TorchPrefix.Length..]
            : method);
        return call switch
        {
            Call.Forward => Cost.Of(Kind, Pass.Forward, Chosen, Type),
            Call.Backward => Cost.Of(Kind, Pass.Backward, Chosen, Type),
            _ => Cost.Of(Kind, Pass.Forward, Chosen, Type) + Cost.Of(Kind, Pass.Backward, Chosen, Type),
        };
    }

    private void Torch(Call call)
    {
        foreach (var peer in peers)
            peer.Run(call);
    }
}
