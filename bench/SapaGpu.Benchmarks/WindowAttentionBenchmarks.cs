using BenchmarkDotNet.Attributes;
using TorchSharp;

namespace SapaGpu.Benchmarks;

/// <summary>Window attention on the CPU beside a matrix multiplication of the vendor's library.</summary>
[MemoryDiagnoser]
public class WindowAttentionBenchmarks
{
    private const int MatrixSize = 1024;

    private Device device = null!;
    private Workload workload = null!;
    private torch.Tensor left = null!;
    private torch.Tensor right = null!;

    [Params(MemoryFormat.ChannelsLast, MemoryFormat.Contiguous)]
    public MemoryFormat Format { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        TorchLibrary.AllowOlderRuntime();
        torch.set_num_threads(Environment.ProcessorCount);
        device = Device.Open(DeviceKind.Cpu);
        workload = new Workload(device, Workload.Medium, Format);
        left = torch.rand(MatrixSize, MatrixSize);
        right = torch.rand(MatrixSize, MatrixSize);
    }

    [Benchmark(Baseline = true)]
    public void MatrixMultiplication() => torch.mm(left, right).Dispose();

    [Benchmark]
    public void Forward() => workload.Forward();

    [Benchmark]
    public void Backward() => workload.Backward();

    [GlobalCleanup]
    public void Cleanup()
    {
        left.Dispose();
        right.Dispose();
        workload.Dispose();
        device.Dispose();
    }
}
