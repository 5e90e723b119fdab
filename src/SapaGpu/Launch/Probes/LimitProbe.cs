using ILGPU.Runtime;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>The loop of multiply-adds that measures the peak arithmetic rate of a device.</summary>
internal sealed class LimitProbe : IDisposable
{
    private const int GpuWorkers = 1 << 20;
    private const int GpuRounds = 256;
    private const int TilesPerThread = 8;
    private const int TileRounds = 1 << 16;

    private static readonly VariantTable<ProbeParameters> Programs = new(variant => variant.VectorBits > 0
        ? new PlainArithmetic<float>().Close(new ProbeTiles(), variant)
        : new GroupLaunchable<MultiplyAddKernel, ProbeParameters>());

    private readonly ComputeDevice device;
    private readonly MemoryBuffer memory;
    private readonly ProbeParameters parameters;

    public LimitProbe(ComputeDevice device)
    {
        this.device = device;
        int workers = device.RunsVectorPrograms ? device.Options.Threads * TilesPerThread : GpuWorkers;
        memory = device.Pool.Rent((long)workers * sizeof(float));
        parameters = new ProbeParameters
        {
            Workers = workers,
            Rounds = device.RunsVectorPrograms ? TileRounds : GpuRounds,
            Result = memory.View<float>(0, workers),
        };
        Operations = device.RunsVectorPrograms
            ? MultiplyAddProgram.Operations(in parameters, device.Options.VectorBits / (8 * sizeof(float)))
            : MultiplyAddKernel.Operations(in parameters);
    }

    /// <summary>Gets the operations of one run.</summary>
    public double Operations { get; }

    public void Run() => Programs.Launch(device, in parameters);

    public void Dispose() => device.Pool.Return(memory);

    private sealed class ProbeTiles : OpenTiles<float, float, ProbeParameters>
    {
        public override ILaunchable<ProbeParameters> Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<MultiplyAddProgram<TSimd, TVector>, ProbeParameters>();
    }
}
