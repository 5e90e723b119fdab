using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace SapaGpu.Devices;

/// <summary>
/// Memory that ILGPU did not allocate, as an ILGPU buffer: host memory, aligned, or a pointer (on OpenCL,
/// a memory object) that belongs to someone else and is never freed here.
/// </summary>
internal sealed unsafe class ForeignMemoryBuffer : MemoryBuffer
{
    private const nuint CacheLine = 64;
    private readonly bool ownsHostMemory;

    private ForeignMemoryBuffer(Accelerator accelerator, nint pointer, long bytes, bool ownsHostMemory)
        : base(accelerator, bytes, 1)
    {
        NativePtr = pointer;
        this.ownsHostMemory = ownsHostMemory;
    }

    /// <summary>Allocates aligned host memory for a CPU accelerator.</summary>
    public static ForeignMemoryBuffer AllocateHost(Accelerator accelerator, long bytes)
    {
        var alignment = bytes >= HugePages.Size ? (nuint)HugePages.Size : CacheLine;
        var pointer = (nint)NativeMemory.AlignedAlloc((nuint)bytes, alignment);
        HugePages.Advise(pointer, bytes);
        return new ForeignMemoryBuffer(accelerator, pointer, bytes, ownsHostMemory: true);
    }

    /// <summary>Wraps memory that belongs to someone else.</summary>
    public static ForeignMemoryBuffer Wrap(Accelerator accelerator, nint pointer, long bytes) =>
        new(accelerator, pointer, bytes, ownsHostMemory: false);

    /// <inheritdoc/>
    protected override void MemSet(AcceleratorStream stream, byte value, in ArrayView<byte> targetView)
    {
        switch (stream)
        {
            case CudaStream cuda:
                CudaMemoryBuffer.CudaMemSet(cuda, value, targetView);
                break;
            case CLStream opencl:
                CLMemoryBuffer.CLMemSet(opencl, value, targetView);
                break;
            default:
                CPUMemoryBuffer.CPUMemSet(
                    (nint)Unsafe.AsPointer(ref targetView.LoadEffectiveAddress()), value, 0, targetView.LengthInBytes);
                break;
        }
    }

    /// <inheritdoc/>
    protected override void CopyFrom(
        AcceleratorStream stream, in ArrayView<byte> sourceView, in ArrayView<byte> targetView) =>
        Copy(stream, in sourceView, in targetView);

    /// <inheritdoc/>
    protected override void CopyTo(
        AcceleratorStream stream, in ArrayView<byte> sourceView, in ArrayView<byte> targetView) =>
        Copy(stream, in sourceView, in targetView);

    /// <inheritdoc/>
    protected override void DisposeAcceleratorObject(bool disposing)
    {
        if (ownsHostMemory)
            NativeMemory.AlignedFree((void*)NativePtr);
        NativePtr = 0;
    }

    private static void Copy(AcceleratorStream stream, in ArrayView<byte> source, in ArrayView<byte> target)
    {
        switch (stream)
        {
            case CudaStream cuda:
                CudaMemoryBuffer.CudaCopy(cuda, source, target);
                break;
            case CLStream opencl:
                CLMemoryBuffer.CLCopy(opencl, source, target);
                break;
            default:
                CPUMemoryBuffer.CPUCopyFrom(stream, source, target);
                break;
        }
    }
}
