using ILGPU;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Devices;

/// <summary>
/// Queues thread-group programs on the stream of a device and runs vector programs on the CPU, where a call returns
/// when its work is done.
/// </summary>
internal sealed class Launcher : IDisposable
{
    /// <summary>
    /// Work below this many operations is done by the calling thread: until another thread has woken up, one core does
    /// about this much.
    /// </summary>
    private const double InlineOperations = 2e6;

    private readonly DeviceBackend backend;
    private readonly MemoryPool pool;
    private readonly DeviceOptions options;
    private readonly Lazy<WorkerTeam> team;
    private readonly Lazy<KernelCache> kernels;

    // A kernel object of OpenCL keeps its arguments between the calls that set them and the call that queues it.
    private readonly Lock gate = new();

    /// <summary>Creates the launcher of a device.</summary>
    public Launcher(DeviceBackend backend, MemoryPool pool, DeviceOptions options)
    {
        this.backend = backend;
        this.pool = pool;
        this.options = options;
        team = new Lazy<WorkerTeam>(() => new WorkerTeam(options.Threads));

        // Nothing of ILGPU is loaded before there is something to launch.
        kernels = new Lazy<KernelCache>(() => new(
            (backend as AcceleratorBackend)?.Accelerator,
            CodeStore.Open(options.CodeFolder)));
    }

    /// <summary>Creates the launcher of another stream, which launches the kernels of the device.</summary>
    public Launcher(Launcher device, DeviceBackend backend, MemoryPool pool)
    {
        this.backend = backend;
        this.pool = pool;
        options = device.options;
        team = device.team;
        kernels = device.kernels;
    }

    /// <summary>Gets the number of programs that were launched and are kept, of all streams of the device.</summary>
    public int LoadedKernels => kernels.IsValueCreated ? kernels.Value.Count : 0;

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
            var stream = ((AcceleratorBackend)backend).Stream;
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
