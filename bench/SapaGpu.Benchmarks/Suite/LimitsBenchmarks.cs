using BenchmarkDotNet.Attributes;
using SapaGpu.Launch;
using SapaGpu.Workloads;
using TorchSharp;

namespace SapaGpu.Benchmarks;

/// <summary>
/// What the machine can do: the vendor's matrix multiplication, a copy, and multiply-adds in registers.
/// </summary>
public class LimitsBenchmarks : MeasuredBenchmarks
{
    private const int MatrixSize = 2048;
    private static readonly MapShape CopyShape = new(1, 256, 256, 256);

    private ComputeDevice? device;
    private FeatureMap<float>? source;
    private FeatureMap<float>? result;
    private LimitProbe? probe;
    private torch.Tensor? left;
    private torch.Tensor? right;

    public static IEnumerable<int> ThreadCounts => new[] { 1, Environment.ProcessorCount }.Distinct();

    [ParamsSource(nameof(ThreadCounts))]
    public int Threads { get; set; }

    [GlobalSetup(Target = nameof(MatrixMultiplication))]
    public void SetupMatrices()
    {
        TorchLibrary.AllowOlderRuntime();
        torch.set_num_threads(Threads);
        left = torch.rand(MatrixSize, MatrixSize);
        right = torch.rand(MatrixSize, MatrixSize);
    }

    [GlobalSetup(Targets = [nameof(Copy), nameof(MultiplyAdd)])]
    public void SetupDevice()
    {
        device = ComputeDevice.Open(DeviceKind.Cpu, options: new DeviceOptions { Threads = Threads });
        source = FeatureMap<float>.Create(device, CopyShape);
        result = FeatureMap<float>.Create(device, CopyShape);
        source.Clear();
        probe = new LimitProbe(device);
    }

    [Benchmark]
    public void MatrixMultiplication() => torch.mm(left!, right!).Dispose();

    [Benchmark]
    public void Copy()
    {
        result!.CopyFrom(source!);
        device!.Synchronize();
    }

    [Benchmark]
    public void MultiplyAdd()
    {
        using var use = device!.Use();
        probe!.Run();
        device.Synchronize();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        left?.Dispose();
        right?.Dispose();
        probe?.Dispose();
        source?.Dispose();
        result?.Dispose();
        device?.Dispose();
    }

    internal override Cost CostOf(string method) => method switch
    {
        nameof(MatrixMultiplication) => new Cost(
            Benchmarks.MatrixMultiplication.Operations(MatrixSize), 3.0 * sizeof(float) * MatrixSize * MatrixSize),
        nameof(Copy) => new Cost(0, 2.0 * sizeof(float) * CopyShape.ElementCount),
        _ => new Cost(ProbeOperations(), 0),
    };

    private double ProbeOperations()
    {
        using var own = ComputeDevice.Open(DeviceKind.Cpu, options: new DeviceOptions { Threads = Threads });
        using var use = own.Use();
        using var counted = new LimitProbe(own);
        return counted.Operations;
    }
}
