using ILGPU.Runtime;
using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>
/// A device that operators run on. It owns the driver's context, the compiled kernels and the memory of its maps.
/// All members, and all operators on maps of one device, may be used from several threads at once; calls are queued
/// in order.
/// </summary>
public sealed class ComputeDevice : IDisposable
{
    private int callers;
    private volatile bool disposed;

    private ComputeDevice(DeviceBackend backend, DeviceOptions options)
    {
        Backend = backend;
        Options = options;
        Pool = new MemoryPool(backend);
        Launcher = new Launcher(backend, Pool, options.Threads);
    }

    /// <summary>Gets what is known of the device.</summary>
    public DeviceInfo Info => Backend.Info;

    /// <summary>Gets the settings that the device was opened with, with every default filled in.</summary>
    public DeviceOptions Options { get; }

    /// <summary>Gets the backend.</summary>
    public DeviceKind Kind => Backend.Kind;

    /// <summary>Gets the identifier, such as "cpu" or "cuda:1".</summary>
    public string Id => Info.Id;

    /// <summary>Gets whether the device was disposed.</summary>
    public bool IsDisposed => disposed;

    /// <summary>Gets the bytes of device memory that are held, in use or kept for the next map.</summary>
    public long HeldBytes => Pool.HeldBytes;

    /// <summary>Gets the bytes of device memory that maps and workspaces use at the moment.</summary>
    public long UsedBytes => Pool.UsedBytes;

    internal DeviceBackend Backend { get; }

    /// <summary>Gets the device of ILGPU; the processor is none.</summary>
    internal Accelerator Accelerator => ((AcceleratorBackend)Backend).Accelerator;

    internal Launcher Launcher { get; }

    internal MemoryPool Pool { get; }

    /// <summary>
    /// Gets whether the device runs the vector programs of the CPU rather than thread-group programs.
    /// </summary>
    internal bool RunsVectorPrograms => Backend is HostBackend;

    /// <summary>Lists the devices of this machine, the fastest kind first.</summary>
    public static IReadOnlyList<DeviceInfo> Enumerate() =>
        [.. new[] { DeviceKind.Cuda, DeviceKind.OpenCL, DeviceKind.Cpu }.SelectMany(Enumerate)];

    /// <summary>Lists the devices of one backend.</summary>
    public static IReadOnlyList<DeviceInfo> Enumerate(DeviceKind kind) =>
        AcceleratorFactory.Enumerate(EnumChecks.Defined(kind)).Devices;

    /// <summary>Says why a backend has no device here; null where it has one.</summary>
    public static string? WhyUnavailable(DeviceKind kind) =>
        AcceleratorFactory.Enumerate(EnumChecks.Defined(kind)).Reason;

    /// <summary>
    /// Opens the best device present: an NVIDIA GPU, else a GPU through OpenCL, else the processor.
    /// </summary>
    public static ComputeDevice OpenDefault(DeviceOptions? options = null)
    {
        var gpu = new[] { DeviceKind.Cuda, DeviceKind.OpenCL }.SelectMany(Enumerate).FirstOrDefault(info => info.IsGpu);
        return gpu is not null ? Open(gpu.Kind, gpu.Ordinal, options) : Open(DeviceKind.Cpu, 0, options);
    }

    /// <summary>Opens a device by its identifier: "cpu", "opencl", "cuda", "cuda:1".</summary>
    /// <exception cref="ArgumentException">The identifier names no device.</exception>
    /// <exception cref="DeviceUnavailableException">There is no such device on this machine.</exception>
    public static ComputeDevice Open(string id, DeviceOptions? options = null)
    {
        var (kind, ordinal) = DeviceNames.Parse(id);
        return Open(kind, ordinal, options);
    }

    /// <summary>Opens a device.</summary>
    /// <param name="kind">The backend.</param>
    /// <param name="ordinal">The position among the devices of that backend, from 0.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <exception cref="DeviceUnavailableException">There is no such device on this machine.</exception>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    public static ComputeDevice Open(DeviceKind kind, int ordinal = 0, DeviceOptions? options = null)
    {
        options = Complete(options ?? new DeviceOptions(), kind);
        if (kind != DeviceKind.Cpu)
            return new ComputeDevice(AcceleratorFactory.Open(EnumChecks.Defined(kind), ordinal, options), options);
        return ordinal == 0
            ? new ComputeDevice(new HostBackend(), options)
            : throw new DeviceUnavailableException($"There is no cpu:{ordinal}; there is one processor, cpu.");
    }

    /// <summary>Opens the emulation of a GPU: the thread-group programs on .NET threads, for tests.</summary>
    internal static ComputeDevice OpenEmulator(DeviceOptions? options = null)
    {
        options = Complete(options ?? new DeviceOptions(), DeviceKind.Cpu);
        return new ComputeDevice(AcceleratorFactory.OpenEmulator(options), options);
    }

    /// <summary>Waits until everything that was queued has been computed.</summary>
    public void Synchronize()
    {
        using var use = Use();
        Backend.Synchronize();
    }

    /// <summary>
    /// Measures how long the device works on the calls that an action makes, by the device's own clock.
    /// </summary>
    /// <param name="action">Calls of operators on maps of this device; it must not dispose the device.</param>
    /// <returns>
    /// The time from the beginning of the first call to the end of the last, waiting between them included. What was
    /// queued before does not count.
    /// </returns>
    /// <exception cref="InvalidOperationException">
    /// The device was opened without <see cref="DeviceOptions.MeasuresTime"/>.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The device was disposed.</exception>
    public TimeSpan MeasureTime(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        using var use = Use();
        if (!Options.MeasuresTime)
        {
            throw new InvalidOperationException(
                $"The device {Id} keeps no times; open it with DeviceOptions.MeasuresTime.");
        }
        return Backend.MeasureTime(action);
    }

    /// <summary>Gives memory that is kept for future maps back to the device.</summary>
    public void TrimMemory()
    {
        using var use = Use();
        Backend.Synchronize();
        Pool.Trim();
    }

    /// <summary>
    /// Waits for running calls and releases the context, the kernels and all memory; maps of the device cannot be
    /// used any more.
    /// </summary>
    /// <remarks>
    /// Never throws: what a call did wrong on the device is told by the next call that waits for it, such as
    /// <see cref="Synchronize"/> or the reading of a result.
    /// </remarks>
    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        SpinWait.SpinUntil(() => Volatile.Read(ref callers) == 0);
        Launcher.Dispose();
        Backend.Close(Pool);
    }

    /// <summary>Returns the identifier and the name.</summary>
    public override string ToString() => $"{Id} ({Info.Name})";

    /// <summary>Holds the device open, and its context current on the thread, for the duration of a call.</summary>
    /// <exception cref="ObjectDisposedException">The device was disposed.</exception>
    internal DeviceUse Use()
    {
        Interlocked.Increment(ref callers);
        try
        {
            return disposed
                ? throw new ObjectDisposedException(nameof(ComputeDevice), $"The device {Id} was disposed.")
                : new DeviceUse(this, Backend.Enter());
        }
        catch
        {
            Interlocked.Decrement(ref callers);
            throw;
        }
    }

    private static DeviceOptions Complete(DeviceOptions options, DeviceKind kind)
    {
        const nint PerThreadStream = 2;
        const int MostThreads = 4096;
        if (options.Threads is < 0 or > MostThreads)
        {
            throw new ArgumentException(
                $"Threads is 0 to {MostThreads:N0}, 0 for one a processor; got {options.Threads:N0}.", nameof(options));
        }
        if (options.VectorBits is not (0 or 128 or 256 or 512))
        {
            throw new ArgumentException(
                $"VectorBits is 0, 128, 256 or 512; got {options.VectorBits}.", nameof(options));
        }
        if (options.WorkspaceBytes < 1)
            throw new ArgumentException(
                $"WorkspaceBytes is at least 1; got {options.WorkspaceBytes}.", nameof(options));
        if (options.Stream != 0 && !options.UsesPrimaryContext)
        {
            throw new ArgumentException(
                "Stream needs UsesPrimaryContext: in a context of its own a device shares no stream.", nameof(options));
        }
        if (options.Stream == PerThreadStream)
        {
            throw new ArgumentException(
                "Stream is one stream for all threads; got the default stream of each thread.", nameof(options));
        }
        bool isCuda = kind == DeviceKind.Cuda;
        return options with
        {
            Threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads,
            VectorBits = options.VectorBits == 0 ? VectorWidth.Preferred : options.VectorBits,
            UsesPrimaryContext = isCuda && options.UsesPrimaryContext,
            Stream = isCuda ? options.Stream : 0,
        };
    }

    internal readonly ref struct DeviceUse(ComputeDevice device, CudaScope scope)
    {
        private readonly CudaScope scope = scope;

        public void Dispose()
        {
            scope.Dispose();
            Interlocked.Decrement(ref device.callers);
        }
    }
}
