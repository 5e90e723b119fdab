using ILGPU.Runtime;
using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>
/// A device that operators run on. It holds the driver's context, the compiled kernels and the memory of its maps.
/// </summary>
/// <remarks>
/// All members, and all operators on maps of one device, may be called from several threads at once. Calls on a GPU are
/// queued on one stream, run in order and may return before they have finished; calls on the CPU return when they have
/// finished.
/// </remarks>
public sealed class ComputeDevice : IDisposable
{
    private int callers;
    private volatile bool disposed;

    private ComputeDevice(DeviceBackend backend, DeviceOptions options)
    {
        Backend = backend;
        Options = options;
        Pool = new MemoryPool(backend);
        Launcher = new Launcher(backend, Pool, options);
    }

    /// <summary>Gets the description of the device.</summary>
    public DeviceInfo Info => Backend.Info;

    /// <summary>Gets the options that the device was opened with, with every default resolved.</summary>
    public DeviceOptions Options { get; }

    /// <summary>Gets the backend.</summary>
    public DeviceKind Kind => Backend.Kind;

    /// <summary>Gets the identifier, such as "cpu", "cuda" or "cuda:1".</summary>
    public string Id => Info.Id;

    /// <summary>Gets whether the device has been disposed.</summary>
    public bool IsDisposed => disposed;

    /// <summary>Gets the bytes of device memory that are allocated, in use or kept for reuse.</summary>
    public long HeldBytes => Pool.HeldBytes;

    /// <summary>Gets the bytes of device memory that maps and workspaces use now, without wrapped memory.</summary>
    public long UsedBytes => Pool.UsedBytes;

    internal DeviceBackend Backend { get; }

    /// <summary>Gets the accelerator of ILGPU; the CPU device has none.</summary>
    internal Accelerator Accelerator => ((AcceleratorBackend)Backend).Accelerator;

    internal Launcher Launcher { get; }

    internal MemoryPool Pool { get; }

    /// <summary>
    /// Gets whether the device runs the vector programs of the CPU rather than thread-group programs.
    /// </summary>
    internal bool RunsVectorPrograms => Backend is HostBackend;

    /// <summary>
    /// Gets whether window programs work on cell pairs. These are long and keep many values in registers: for a GPU. An
    /// OpenCL driver that runs thread groups on a processor takes minutes to compile them.
    /// </summary>
    internal bool RunsCellPairs => Kind == DeviceKind.Cuda || Info.IsGpu;

    /// <summary>Lists the devices of this machine: CUDA, then OpenCL, then the CPU.</summary>
    public static IReadOnlyList<DeviceInfo> Enumerate() =>
        [.. new[] { DeviceKind.Cuda, DeviceKind.OpenCL, DeviceKind.Cpu }.SelectMany(Enumerate)];

    /// <summary>Lists the devices of one backend; empty if it has none on this machine.</summary>
    /// <param name="kind">The backend.</param>
    /// <exception cref="ArgumentOutOfRangeException">The backend is not defined.</exception>
    public static IReadOnlyList<DeviceInfo> Enumerate(DeviceKind kind) =>
        AcceleratorFactory.Enumerate(EnumChecks.Defined(kind)).Devices;

    /// <summary>Returns why a backend has no device on this machine; null if it has one.</summary>
    /// <param name="kind">The backend.</param>
    /// <exception cref="ArgumentOutOfRangeException">The backend is not defined.</exception>
    public static string? WhyUnavailable(DeviceKind kind) =>
        AcceleratorFactory.Enumerate(EnumChecks.Defined(kind)).Reason;

    /// <summary>
    /// Opens the best device of this machine: an NVIDIA GPU, else a GPU through OpenCL, else the CPU.
    /// </summary>
    /// <param name="options">Options; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="DeviceUnavailableException">The driver of the GPU cannot open it.</exception>
    public static ComputeDevice OpenDefault(DeviceOptions? options = null)
    {
        var gpu = new[] { DeviceKind.Cuda, DeviceKind.OpenCL }.SelectMany(Enumerate).FirstOrDefault(info => info.IsGpu);
        return gpu is not null ? Open(gpu.Kind, gpu.Ordinal, options) : Open(DeviceKind.Cpu, 0, options);
    }

    /// <summary>Opens a device by its identifier.</summary>
    /// <param name="id">The backend, with an ordinal unless it is 0: "cpu", "opencl", "cuda", "cuda:1".</param>
    /// <param name="options">Options; null for the defaults.</param>
    /// <exception cref="ArgumentException">The identifier is malformed, or an option is out of range.</exception>
    /// <exception cref="DeviceUnavailableException">
    /// This machine has no such device, or its driver cannot open it.
    /// </exception>
    public static ComputeDevice Open(string id, DeviceOptions? options = null)
    {
        var (kind, ordinal) = DeviceNames.Parse(id);
        return Open(kind, ordinal, options);
    }

    /// <summary>Opens a device.</summary>
    /// <param name="kind">The backend.</param>
    /// <param name="ordinal">The position among the devices of that backend, from 0.</param>
    /// <param name="options">Options; null for the defaults.</param>
    /// <exception cref="ArgumentException">The backend is not defined, or an option is out of range.</exception>
    /// <exception cref="DeviceUnavailableException">
    /// This machine has no such device, or its driver cannot open it.
    /// </exception>
    public static ComputeDevice Open(DeviceKind kind, int ordinal = 0, DeviceOptions? options = null)
    {
        options = Complete(options ?? new DeviceOptions(), kind);
        if (kind != DeviceKind.Cpu)
            return new ComputeDevice(AcceleratorFactory.Open(EnumChecks.Defined(kind), ordinal, options), options);
        return ordinal == 0
            ? new ComputeDevice(new HostBackend(), options)
            : throw new DeviceUnavailableException($"There is no device cpu:{ordinal}; the CPU is one device, cpu.");
    }

    /// <summary>Opens the emulation of a GPU: the thread-group programs on .NET threads, for tests.</summary>
    internal static ComputeDevice OpenEmulator(DeviceOptions? options = null)
    {
        options = Complete(options ?? new DeviceOptions(), DeviceKind.Cpu);
        return new ComputeDevice(AcceleratorFactory.OpenEmulator(options), options);
    }

    /// <summary>Waits until all queued calls have finished.</summary>
    /// <exception cref="ObjectDisposedException">The device has been disposed.</exception>
    public void Synchronize()
    {
        using var use = Use();
        Backend.Synchronize();
    }

    /// <summary>
    /// Measures the time that the device takes for the calls that an action makes, by the device's clock.
    /// </summary>
    /// <param name="action">Calls of operators on maps of this device; it must not dispose the device.</param>
    /// <returns>
    /// The time from the start of the first call to the end of the last, including idle time between them. Calls that
    /// were queued before do not count.
    /// </returns>
    /// <exception cref="InvalidOperationException">
    /// The device was opened without <see cref="DeviceOptions.MeasuresTime"/>.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The device has been disposed.</exception>
    public TimeSpan MeasureTime(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        using var use = Use();
        if (!Options.MeasuresTime)
        {
            throw new InvalidOperationException(
                $"The device {Id} does not measure times; open it with DeviceOptions.MeasuresTime.");
        }
        return Backend.MeasureTime(action);
    }

    /// <summary>Waits until all queued calls have finished and frees the memory that is kept for reuse.</summary>
    /// <exception cref="ObjectDisposedException">The device has been disposed.</exception>
    public void TrimMemory()
    {
        using var use = Use();
        Backend.Synchronize();
        Pool.Trim();
    }

    /// <summary>
    /// Waits for running calls and releases the context, the kernels and all memory. Maps of the device cannot be used
    /// afterwards.
    /// </summary>
    /// <remarks>
    /// Does not report errors of queued calls; to see them, call <see cref="Synchronize"/> or read a result before.
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
                $"Threads must be from 0 to {MostThreads:N0} (0: one per processor); got {options.Threads:N0}.",
                nameof(options));
        }
        if (options.VectorBits is not (0 or 128 or 256 or 512))
        {
            throw new ArgumentException(
                $"VectorBits must be 0, 128, 256 or 512; got {options.VectorBits}.", nameof(options));
        }
        if (options.WorkspaceBytes < 1)
            throw new ArgumentException(
                $"WorkspaceBytes must be at least 1; got {options.WorkspaceBytes}.", nameof(options));
        if (options.Stream != 0 && !options.UsesPrimaryContext)
        {
            throw new ArgumentException(
                "Stream belongs to the primary context; set UsesPrimaryContext or leave Stream at 0.", nameof(options));
        }
        if (options.Stream == PerThreadStream)
        {
            throw new ArgumentException(
                "Stream must be one stream for all threads; got 2, the default stream of each thread.",
                nameof(options));
        }
        bool isCuda = kind == DeviceKind.Cuda;
        return options with
        {
            Threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads,
            VectorBits = options.VectorBits == 0 ? VectorWidth.Preferred : options.VectorBits,
            UsesPrimaryContext = isCuda && options.UsesPrimaryContext,
            Stream = isCuda ? options.Stream : 0,
            CodeFolder = kind != DeviceKind.Cpu ? options.CodeFolder ?? CodeStore.DefaultFolder() : string.Empty,
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
