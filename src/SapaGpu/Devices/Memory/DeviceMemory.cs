using ILGPU;
using ILGPU.Runtime;

namespace SapaGpu.Devices;

/// <summary>
/// Memory behind a map and its views. It is counted: the memory goes back when the last holder lets go, so a map that
/// is disposed while another thread computes with it stays valid until that call ends.
/// </summary>
internal abstract class DeviceMemory(ComputeDevice device, MemoryBuffer buffer)
{
    private int holders = 1;

    public ComputeDevice Device => device;

    /// <summary>Gets the pointer, or on OpenCL the memory object.</summary>
    public nint NativePointer => buffer.NativePtr;

    protected MemoryBuffer Buffer => buffer;

    protected bool IsHeld => Volatile.Read(ref holders) > 0;

    public static DeviceMemory Allocate(ComputeDevice device, long bytes) =>
        new PooledMemory(device, device.Pool.Rent(bytes));

    public static DeviceMemory Wrap(ComputeDevice device, nint pointer, long bytes) =>
        new WrappedMemory(device, device.Backend.Wrap(pointer, bytes));

    /// <summary>The same memory for calls on another stream of its device.</summary>
    public static DeviceMemory Share(ComputeDevice device, DeviceMemory memory)
    {
        memory.Retain();
        return new SharedMemory(device, memory);
    }

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
        throw new ObjectDisposedException(null, "The feature map has been disposed.");
    }

    /// <summary>Removes a holder.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref holders) == 0)
            Free();
    }

    /// <summary>The first elements of the memory.</summary>
    public ArrayView<T> View<T>(long length)
        where T : unmanaged => buffer.View<T>(0, length);

    protected abstract void Free();

    /// <summary>Memory of the device's pool, which gets it back even from a map that nobody disposed.</summary>
    private sealed class PooledMemory(ComputeDevice device, MemoryBuffer buffer) : DeviceMemory(device, buffer)
    {
        // After a release it finds no holder left and does nothing.
        ~PooledMemory()
        {
            if (IsHeld)
                Free();
        }

        protected override void Free() => Device.Pool.Return(Buffer);
    }

    /// <summary>
    /// Memory that belongs to someone else: there is nothing to free, so that a wrap costs two small objects.
    /// </summary>
    private sealed class WrappedMemory(ComputeDevice device, MemoryBuffer buffer) : DeviceMemory(device, buffer)
    {
        protected override void Free()
        {
            if (Buffer.Accelerator is not null && !Device.IsDisposed)
                Buffer.Dispose();
        }
    }

    /// <summary>Memory of another stream, which is one holder of it.</summary>
    private sealed class SharedMemory(ComputeDevice device, DeviceMemory owner) : DeviceMemory(device, owner.Buffer)
    {
        protected override void Free() => owner.Release();
    }
}
