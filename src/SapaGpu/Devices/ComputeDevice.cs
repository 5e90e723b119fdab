using ILGPU.Runtime;
using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>
/// A device that operators run on. It holds the driver's context, the compiled kernels and the memory of its maps.
/// </summary>
/// <remarks>
/// All members, and all operators on maps of one device, may be called from several threads at once. Calls on a GPU are
/// queued on one stream, run in order and may return before they have finished; calls on the CPU return when they have
/// finished. On CUDA, <see cref="OnStream"/> returns the same device with the queue of another stream.
/// </remarks>
public sealed class ComputeDevice : IDisposable
{
    // The device that was opened, where this is a view of it on a stream.
    private readonly ComputeDevice? parent;
    private StreamViews? views;
    private int callers;
    private int disposed;

    private ComputeDevice(DeviceBackend backend, DeviceOptions options)
    {
        Backend = backend;
        Options = options;
        Pool = new MemoryPool(backend, MakeRoom);
        Launcher = new Launcher(backend, Pool, options);
    }

    private ComputeDevice(ComputeDevice parent, nint stream)
    {
        this.parent = parent;
        Options = parent.Options;
        Backend = parent.Backend;
        Pool = parent.Pool;
        Launcher = parent.Launcher;
        if (stream == parent.Options.Stream)
            return;
        Options = parent.Options with { Stream = stream };
        Backend = ((AcceleratorBackend)parent.Backend).OnStream(stream);
        Pool = new MemoryPool(Backend, parent.MakeRoom);
        Launcher = new Launcher(parent.Launcher, Backend, Pool);
    }

    /// <summary>Gets the description of the device.</summary>
    public DeviceInfo Info => Backend.Info;

    /// <summary>
    /// Gets the options that the device was opened with, with every default resolved; of a view, with its stream.
    /// </summary>
    public DeviceOptions Options { get; }

    /// <summary>Gets the backend.</summary>
    public DeviceKind Kind => Backend.Kind;

    /// <summary>Gets the identifier, such as "cpu", "cuda" or "cuda:1".</summary>
    public string Id => Info.Id;

    /// <summary>Gets whether the device has been disposed.</summary>
    public bool IsDisposed => Volatile.Read(ref disposed) != 0 || parent is { IsDisposed: true };

    /// <summary>
    /// Gets the bytes of device memory that are allocated for calls on this stream, in use or kept for reuse.
    /// </summary>
    public long HeldBytes => Pool.HeldBytes;

    /// <summary>
    /// Gets the bytes of device memory that maps and workspaces of this stream use now, without wrapped memory.
    /// </summary>
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

    /// <summary>
    /// Returns the device with the queue of another stream: a view that shares the driver's context, the compiled kernels and
    /// the parameters of modules with this device, so that one open device serves all streams of a framework.
    /// </summary>
    /// <param name="stream">
    /// The stream (a cudaStream_t or CUstream of the primary context) that calls on maps of the view are queued on; 0 or 1
    /// for the legacy default stream. Its owner keeps it until the calls have finished and the view was let go of.
    /// </param>
    /// <returns>
    /// The view: the same one for the same stream, whoever asks, found without an allocation in a few nanoseconds. It stays
    /// until it or the opened device is disposed.
    /// </returns>
    /// <remarks>
    /// <para>A call runs on the stream of its maps: wrap or create them on the view. All maps of a call are of one stream,
    /// otherwise there is a <see cref="DeviceMismatchException"/>; <see cref="FeatureMap{T}.On"/> brings a map to another stream without a copy.
    /// A module takes maps of any stream of its device. As everywhere in CUDA the caller orders streams among one another, by
    /// events; a value that is written from the host, such as a parameter, is there for all streams when the call returns.</para>
    /// <para>Every stream has a memory pool of its own, since what one has freed may still be in use there.
    /// <see cref="TrimMemory"/> frees what all of them keep, and so does a call that finds no memory.</para>
    /// <para><see cref="Dispose"/> of a view waits for the calls of the whole GPU, frees the memory of the view's maps and
    /// leaves the device open. Others may hold the same view: dispose it before its stream is destroyed, not after every
    /// call. One that is not disposed keeps its memory, also for a new stream that gets the handle of a destroyed one.</para>
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The device was opened without <see cref="DeviceOptions.UsesPrimaryContext"/> and the stream is not 0, or the stream is 2,
    /// the default stream of each thread.
    /// </exception>
    /// <exception cref="NotSupportedException">The device is not a CUDA device, and the stream is not 0.</exception>
    /// <exception cref="ObjectDisposedException">The device has been disposed.</exception>
    public ComputeDevice OnStream(nint stream)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        return (parent ?? this).FindView(stream);
    }

    /// <summary>Waits until all calls that were queued on the stream of this device have finished.</summary>
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

    /// <summary>
    /// Waits until all queued calls have finished, on whatever stream, and frees the memory that is kept for reuse.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The device has been disposed.</exception>
    public void TrimMemory()
    {
        using var use = Use();
        TrimPools();
        Pool.Trim();
    }

    /// <summary>
    /// Waits for running calls and releases the context, the kernels and all memory. Maps of the device and its views on
    /// streams cannot be used afterwards. A view releases the memory of its own maps only.
    /// </summary>
    /// <remarks>
    /// Does not report errors of queued calls; to see them, call <see cref="Synchronize"/> or read a result before.
    /// </remarks>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
            return;
        parent?.views!.Forget(this);
        SpinWait.SpinUntil(() => Volatile.Read(ref callers) == 0);
        if (parent is null)
            Close();
        else if (!ReferenceEquals(Pool, parent.Pool))
            ReleaseMemory(parent);
    }

    /// <summary>Returns the identifier and the name, and the stream unless it is the default stream.</summary>
    public override string ToString() =>
        $"{Id} ({Info.Name}{(Options.Stream == CudaStreamHandle.Default ? string.Empty : $", stream 0x{Options.Stream:x}")})";

    /// <summary>
    /// Waits until all calls have finished that were queued on whatever stream of the device, without a word about those that
    /// failed.
    /// </summary>
    internal void FinishQuietly()
    {
        if (!TryHold())
            return;
        try
        {
            using var scope = Backend.Enter();
            Backend.FinishAll();
        }
        catch (AcceleratorException)
        {
            // Whoever reads a result hears of it.
        }
        finally
        {
            LetGo();
        }
    }

    /// <summary>Whether maps of both devices are in memory that the other one reads and writes as well.</summary>
    internal bool SharesMemoryWith(ComputeDevice other) => ReferenceEquals(parent ?? this, other.parent ?? other);

    /// <summary>Whether calls of both devices are queued on one stream, so that one call may take maps of both.</summary>
    internal bool SharesQueueWith(ComputeDevice other) => ReferenceEquals(Backend, other.Backend);

    /// <summary>Whether this is a view of a device on a stream.</summary>
    internal bool IsViewOf(ComputeDevice device) => ReferenceEquals(parent, device);

    /// <summary>Holds the device open, and its context current on the thread, for the duration of a call.</summary>
    /// <exception cref="ObjectDisposedException">The device was disposed.</exception>
    internal DeviceUse Use()
    {
        if (!TryHold())
            throw new ObjectDisposedException(nameof(ComputeDevice), $"The device {Id} was disposed.");
        try
        {
            return new DeviceUse(this, Backend.Enter());
        }
        catch
        {
            LetGo();
            throw;
        }
    }

    private bool TryHold()
    {
        Interlocked.Increment(ref callers);
        if (Volatile.Read(ref disposed) == 0 && (parent is null || parent.TryHold()))
            return true;
        Interlocked.Decrement(ref callers);
        return false;
    }

    private void LetGo()
    {
        parent?.LetGo();
        Interlocked.Decrement(ref callers);
    }

    private ComputeDevice FindView(nint stream) => Volatile.Read(ref views)?.Find(stream) ?? AddView(stream);

    private ComputeDevice AddView(nint stream)
    {
        nint meant = stream;
        if (Kind == DeviceKind.Cuda)
            meant = CudaStreamHandle.Checked(stream, Options.UsesPrimaryContext, nameof(stream));
        else if (stream != CudaStreamHandle.Default)
            throw new NotSupportedException($"Not supported on {Id}: only CUDA has streams; pass 0.");

        // Held, so that no view is added behind a Dispose.
        using var use = Use();
        var known = LazyInitializer.EnsureInitialized(ref views, () => new StreamViews());
        var view = known.FindOrAdd(meant, () => new ComputeDevice(this, meant));
        return meant == stream ? view : known.FindOrAdd(stream, () => view);
    }

    // Whoever finds no memory may take what other streams keep.
    private void MakeRoom()
    {
        if ((parent ?? this).views is { IsEmpty: false })
            TrimPools();
    }

    // Other streams may still use what their pools keep.
    private void TrimPools()
    {
        Backend.FinishAll();
        var device = parent ?? this;
        device.Pool.TryTrim();
        device.views?.TryTrim();
    }

    private void Close()
    {
        foreach (var view in views?.TakeAll() ?? [])
        {
            Volatile.Write(ref view.disposed, 1);
            if (!ReferenceEquals(view.Pool, Pool))
                Backend.Free(view.Pool);
        }
        Launcher.Dispose();
        Backend.Free(Pool);
        Backend.Close();
    }

    // Unless the device is being disposed, which releases everything.
    private void ReleaseMemory(ComputeDevice device)
    {
        if (!device.TryHold())
            return;
        Backend.Free(Pool);
        device.LetGo();
    }

    private static DeviceOptions Complete(DeviceOptions options, DeviceKind kind)
    {
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
        nint stream = CudaStreamHandle.Checked(options.Stream, options.UsesPrimaryContext, nameof(options));
        bool isCuda = kind == DeviceKind.Cuda;
        return options with
        {
            Threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads,
            VectorBits = options.VectorBits == 0 ? VectorWidth.Preferred : options.VectorBits,
            UsesPrimaryContext = isCuda && options.UsesPrimaryContext,
            Stream = isCuda ? stream : CudaStreamHandle.Default,
            CodeFolder = kind != DeviceKind.Cpu ? options.CodeFolder ?? CodeStore.DefaultFolder() : string.Empty,
        };
    }

    internal readonly ref struct DeviceUse(ComputeDevice device, CudaScope scope)
    {
        private readonly CudaScope scope = scope;

        public void Dispose()
        {
            scope.Dispose();
            device.LetGo();
        }
    }
}
