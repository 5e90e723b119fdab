using ILGPU;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Devices;

/// <summary>
/// Queues thread-group programs on the stream of a device and runs vector programs on the CPU, where a call returns
/// when its work is done.
/// </summary>
internal sealed class Launcher(DeviceBackend backend, MemoryPool pool, DeviceOptions options) : IDisposable
{
    /// <summary>
    /// Work below this many operations is done by the calling thread: until another thread has woken up, one core does
    /// about this much.
    /// </summary>
    private const double InlineOperations = 2e6;

    private readonly Lazy<WorkerTeam> team = new(() => new WorkerTeam(options.Threads));

    // Nothing of ILGPU is loaded before there is something to launch.
    private readonly Lazy<KernelCache> kernels = new(() => new(
        (backend as AcceleratorBackend)?.Accelerator,
        CodeStore.Open(options.CodeFolder)));

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
                $"The problem needs {groups:N0} thread groups, but a launch has at most {int.MaxValue:N0}; " +
                "split the batch.");
        }
        lock (gate)
        {
            var stream = ((AcceleratorBackend)backend).Accelerator.DefaultStream;
            var config = new KernelConfig((int)groups, TKernel.GroupSize);
            kernels.Value.Group<TKernel, TParameters>()(stream, config, parameters);
        }
    }

    /// <summary>Runs a vector program on the CPU, on the calling thread alone where the work is small.</summary>
    public unsafe void Tiles<TProgram, TParameters>(in TParameters parameters)
        where TProgram : struct, ITileProgram<TParameters>
        where TParameters : struct
    {
        long tiles = TProgram.TileCount(in parameters);
        if (tiles == 0)
            return;
        int threads = TProgram.Operations(in parameters) < InlineOperations ? 1 : (int)Math.Min(options.Threads, tiles);
        long stride = TProgram.ScratchBytes(in parameters);
        var scratch = pool.Rent(Math.Max(1, threads * stride));
        try
        {
            if (threads == 1)
            {
                TileJob<TProgram, TParameters>.Run(in parameters, tiles, (byte*)scratch.NativePtr);
                return;
            }
            lock (gate)
            {
                var job = kernels.Value.Job<TProgram, TParameters>();
                job.Set(in parameters, tiles, (byte*)scratch.NativePtr, stride);
                team.Value.Run(job, threads);
            }
        }
        finally
        {
            pool.Return(scratch);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (team.IsValueCreated)
            team.Value.Dispose();
    }
}
