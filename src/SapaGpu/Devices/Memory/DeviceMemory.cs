using ILGPU;
using ILGPU.Runtime;

namespace SapaGpu.Devices;

/// <summary>
/// Memory behind a tensor and its views. It is counted: the memory goes back when the last holder lets go, so a tensor
/// that is disposed while another thread computes with it stays valid until that call ends.
/// </summary>
internal sealed class DeviceMemory
{
    private readonly MemoryBuffer buffer;
    private readonly MemoryPool? pool;
    private int holders = 1;

    private DeviceMemory(ComputeDevice device, MemoryBuffer buffer, MemoryPool? pool)
    {
        Device = device;
        this.buffer = buffer;
        this.pool = pool;
    }

    ~DeviceMemory()
    {
        if (Volatile.Read(ref holders) > 0)
            Free();
    }

    public ComputeDevice Device { get; }

    /// <summary>Gets the pointer, or on OpenCL the memory object.</summary>
    public nint NativePointer => buffer.NativePtr;

    public static DeviceMemory Allocate(ComputeDevice device, long bytes) => new(device, device.Pool.Rent(bytes), device.Pool);

    public static DeviceMemory Wrap(ComputeDevice device, nint pointer, long bytes) =>
        new(device, ForeignMemoryBuffer.Wrap(device.Accelerator, pointer, bytes), null);

    /// <summary>Adds a holder.</summary>
    /// <exception cref="ObjectDisposedException">There is none left.</exception>
    public void Retain()
    {
        int seen = Volatile.Read(ref holders);
        while (seen > 0)
        {
            int now = Interlocked.CompareExchange(ref holders, seen + 1, seen);
            if (now == seen)
                return;
            seen = now;
        }
        throw new ObjectDisposedException(null, "The feature map was disposed.");
    }

    /// <summary>Removes a holder.</summary>
    public void Release()
    {
        // The finalizer finds no holder left and does nothing.
        if (Interlocked.Decrement(ref holders) == 0)
            Free();
    }

    /// <summary>The first elements of the memory.</summary>
    public ArrayView<T> View<T>(long length)
        where T : unmanaged => buffer.View<T>(0, length);

    private void Free()
    {
        if (pool is not null)
        {
            pool.Return(buffer);
        }
        else if (!Device.IsDisposed)
        {
            using var scope = CudaScope.Enter(Device.Accelerator);
            buffer.Dispose();
        }
    }
}
