using ILGPU;
using ILGPU.Runtime;

namespace SapaGpu.Devices;

/// <summary>The backend of a device: its memory, the transfers to and from it, its queue and its clock.</summary>
internal abstract class DeviceBackend
{
    public abstract DeviceKind Kind { get; }

    public abstract DeviceInfo Info { get; }

    /// <summary>Gets whether the device has instructions that convert half precision.</summary>
    public virtual bool ConvertsHalf => false;

    /// <summary>Gets whether the device has an instruction that rounds to bfloat16.</summary>
    public virtual bool RoundsBFloat16 => false;

    /// <summary>Gets whether the device multiplies small matrices of both 16-bit formats by one instruction.</summary>
    public virtual bool HasMatrixUnits => false;

    /// <summary>Allocates memory, which disposing the buffer frees.</summary>
    public abstract MemoryBuffer Allocate(long bytes);

    /// <summary>Refers to memory that belongs to someone else.</summary>
    /// <param name="pointer">A host or device pointer, on OpenCL a memory object.</param>
    /// <param name="bytes">Its size.</param>
    public abstract MemoryBuffer Wrap(nint pointer, long bytes);

    /// <summary>Makes the device's context current on the thread.</summary>
    public abstract CudaScope Enter();

    /// <summary>Writes values of the host; they may be changed afterwards.</summary>
    public abstract void Write<T>(in ArrayView<T> target, ReadOnlySpan<T> values)
        where T : unmanaged;

    /// <summary>Writes values of the host in runs and nothing between them; they may be changed afterwards.</summary>
    /// <param name="target">The memory that the runs lie in.</param>
    /// <param name="values">The values, run after run.</param>
    /// <param name="run">The length of a run.</param>
    /// <param name="positionOf">Where a value lies that begins a run.</param>
    public abstract void WriteRuns<T>(
        in ArrayView<T> target, ReadOnlySpan<T> values, int run, Func<long, long> positionOf)
        where T : unmanaged;

    /// <summary>Reads values, after all that was queued.</summary>
    public abstract void Read<T>(in ArrayView<T> source, Span<T> values)
        where T : unmanaged;

    /// <summary>Sets all bytes to zero.</summary>
    public abstract void Clear<T>(in ArrayView<T> target)
        where T : unmanaged;

    /// <summary>Queues a copy within the memory of the device.</summary>
    public abstract void Copy<T>(in ArrayView<T> source, in ArrayView<T> target)
        where T : unmanaged;

    /// <summary>Waits for everything that was queued.</summary>
    public abstract void Synchronize();

    /// <summary>The time from the beginning of the first call that an action queues to the end of the last.</summary>
    public abstract TimeSpan MeasureTime(Action action);

    /// <summary>Waits for everything that was queued on whatever stream of the device.</summary>
    public virtual void FinishAll() => Synchronize();

    /// <summary>Waits and frees the memory of a pool, whatever a driver answers.</summary>
    public abstract void Free(MemoryPool pool);

    /// <summary>Closes the device, whatever a driver answers.</summary>
    public abstract void Close();
}
