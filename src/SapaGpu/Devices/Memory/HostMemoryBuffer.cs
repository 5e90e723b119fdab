using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace SapaGpu.Devices;

/// <summary>
/// Memory that ILGPU did not allocate, as a buffer that its views can point to: host memory, aligned, or memory that
/// belongs to someone else and is never freed here. Without an accelerator, ILGPU does not keep track of it.
/// </summary>
internal sealed unsafe class HostMemoryBuffer : MemoryBuffer
{
    private const nuint CacheLine = 64;
    private readonly bool isOwned;

    private HostMemoryBuffer(Accelerator? accelerator, nint pointer, long bytes, bool isOwned)
        : base(accelerator!, bytes, 1)
    {
        NativePtr = pointer;
        this.isOwned = isOwned;
        if (!isOwned && accelerator is null)
            GC.SuppressFinalize(this);
    }

    /// <summary>Allocates aligned host memory.</summary>
    /// <exception cref="OutOfMemoryException">There is not that much.</exception>
    public static HostMemoryBuffer Allocate(long bytes)
    {
        var alignment = bytes >= HugePages.Size ? (nuint)HugePages.Size : CacheLine;
        var pointer = (nint)NativeMemory.AlignedAlloc((nuint)bytes, alignment);
        HugePages.Advise(pointer, bytes);
        return new HostMemoryBuffer(null, pointer, bytes, isOwned: true);
    }

    /// <summary>Refers to memory that belongs to someone else.</summary>
    /// <param name="pointer">The memory, on OpenCL a memory object.</param>
    /// <param name="bytes">Its size.</param>
    /// <param name="accelerator">Whose memory it is, where transfers ask for that.</param>
    public static HostMemoryBuffer Wrap(nint pointer, long bytes, Accelerator? accelerator = null) =>
        new(accelerator, pointer, bytes, isOwned: false);

    /// <inheritdoc/>
    protected override void MemSet(AcceleratorStream stream, byte value, in ArrayView<byte> targetView) =>
        throw ByBackend();

    /// <inheritdoc/>
    protected override void CopyFrom(
        AcceleratorStream stream, in ArrayView<byte> sourceView, in ArrayView<byte> targetView) => throw ByBackend();

    /// <inheritdoc/>
    protected override void CopyTo(
        AcceleratorStream stream, in ArrayView<byte> sourceView, in ArrayView<byte> targetView) => throw ByBackend();

    /// <inheritdoc/>
    protected override void DisposeAcceleratorObject(bool disposing)
    {
        if (isOwned)
            NativeMemory.AlignedFree((void*)NativePtr);
        NativePtr = 0;
    }

    private static NotSupportedException ByBackend() => new("Use the transfers of the backend.");
}
