using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels;

namespace SapaGpu.Launch;

/// <summary>Queues kernels on the stream of a device.</summary>
internal sealed class Launcher(Accelerator accelerator, MemoryPool pool, int workers)
{
    /// <summary>
    /// Work below this many operations is done by the calling thread: handing it to the accelerator's threads costs
    /// about 100 µs, in which one core does about this much.
    /// </summary>
    private const double InlineOperations = 4e6;

    private readonly KernelCache kernels = new(accelerator);

    // A kernel object keeps its arguments between the calls that set them and the call that queues it.
    private readonly Lock gate = new();

    /// <summary>Launches a thread-group program.</summary>
    public void Group<TKernel, TParameters>(in TParameters parameters)
        where TKernel : struct, IKernel<TParameters>
        where TParameters : struct
    {
        long groups = TKernel.GroupCount(in parameters);
        if (groups > int.MaxValue)
        {
            throw new NotSupportedException(
                $"The problem takes {groups:N0} thread groups, more than a launch has; split the batch.");
        }
        lock (gate)
        {
            kernels.Group<TKernel, TParameters>()(
                accelerator.DefaultStream, new KernelConfig((int)groups, TKernel.GroupSize), parameters);
        }
    }

    /// <summary>Runs a vector program on the CPU, on the calling thread alone where the work is small.</summary>
    public unsafe void Tiles<TProgram, TParameters>(in TParameters parameters)
        where TProgram : struct, ITileProgram<TParameters>
        where TParameters : struct
    {
        long tiles = TProgram.TileCount(in parameters);
        int threads = TProgram.Operations(in parameters) < InlineOperations ? 1 : (int)Math.Min(workers, tiles);
        long stride = TProgram.ScratchBytes(in parameters);
        var scratch = pool.Rent(TileLaunch.CounterBytes + threads * stride);
        try
        {
            var launch = new TileLaunch<TParameters>
            {
                Parameters = parameters,
                Scratch = scratch.View<byte>(0, scratch.LengthInBytes),
                ScratchStride = stride,
                TileCount = tiles,
            };
            *(long*)scratch.NativePtr = 0;
            if (threads == 1)
            {
                KernelEntry.Work<TProgram, TParameters>(launch, 0);
                return;
            }
            lock (gate)
            {
                kernels.Tiles<TProgram, TParameters>()(
                    accelerator.DefaultStream, new KernelConfig(threads, 1), launch);
            }
        }
        finally
        {
            pool.Return(scratch);
        }
    }
}
