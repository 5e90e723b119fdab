using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace SapaGpu.Devices;

/// <summary>A device of ILGPU: CUDA, OpenCL, or the emulation of a GPU.</summary>
internal sealed unsafe class AcceleratorBackend(
    Context context, Accelerator accelerator, AcceleratorStream stream, DeviceInfo info, bool usesPrimaryContext)
    : DeviceBackend
{
    public override DeviceKind Kind => info.Kind;

    public override DeviceInfo Info => info;

    public override bool ConvertsHalf => accelerator is CudaAccelerator;

    public override bool RoundsBFloat16 => accelerator is CudaAccelerator { Architecture.Major: >= 8 };

    public override bool HasMatrixUnits => accelerator is CudaAccelerator { Architecture.Major: >= 8 };

    public Accelerator Accelerator => accelerator;

    /// <summary>Gets the stream that everything is queued on.</summary>
    public AcceleratorStream Stream => stream;

    /// <summary>The same device with the queue of a stream that belongs to someone else.</summary>
    public AcceleratorBackend OnStream(nint handle) => new(
        context,
        accelerator,
        ((CudaAccelerator)accelerator).CreateStream(handle, responsible: false),
        info,
        usesPrimaryContext);

    public override MemoryBuffer Allocate(long bytes) => accelerator is CPUAccelerator
        ? HostMemoryBuffer.Allocate(bytes)
        : accelerator.AllocateRaw(bytes, 1);

    // A memory object of OpenCL has no address, and transfers ask whose it is.
    public override MemoryBuffer Wrap(nint pointer, long bytes) => accelerator is CLAccelerator
        ? HostMemoryBuffer.Wrap(pointer, bytes, accelerator)
        : HostMemoryBuffer.Wrap(pointer, bytes);

    public override CudaScope Enter() => CudaScope.Enter(accelerator);

    public override void Write<T>(in ArrayView<T> target, ReadOnlySpan<T> values)
    {
        fixed (T* pointer = values)
        {
            using var host = HostMemoryBuffer.Wrap((nint)pointer, (long)values.Length * Unsafe.SizeOf<T>());
            Copy(host.View<T>(0, values.Length), in target);
            Synchronize();
        }
    }

    public override void WriteRuns<T>(
        in ArrayView<T> target, ReadOnlySpan<T> values, int run, Func<long, long> positionOf)
    {
        fixed (T* pointer = values)
        {
            // On OpenCL, ILGPU copies from the beginning of a view to the end of its buffer.
            for (int at = 0; at < values.Length; at += run)
            {
                using var host = HostMemoryBuffer.Wrap((nint)(pointer + at), (long)run * Unsafe.SizeOf<T>());
                Copy(host.View<T>(0, run), target.SubView(positionOf(at), run));
            }
            Synchronize();
        }
    }

    public override void Read<T>(in ArrayView<T> source, Span<T> values)
    {
        fixed (T* pointer = values)
        {
            using var host = HostMemoryBuffer.Wrap((nint)pointer, (long)values.Length * Unsafe.SizeOf<T>());
            Copy(in source, host.View<T>(0, values.Length));
            Synchronize();
        }
    }

    public override void Clear<T>(in ArrayView<T> target)
    {
        var bytes = target.Cast<byte>();
        switch (Stream)
        {
            case CudaStream cuda:
                CudaException.ThrowIfFailed(CudaAPI.CurrentAPI.Memset(
                    bytes.LoadEffectiveAddressAsPtr(), 0, (nint)bytes.LengthInBytes, cuda));
                break;
            case CLStream opencl:
                CLMemoryBuffer.CLMemSet(opencl, 0, bytes);
                break;
            default:
                CPUMemoryBuffer.CPUMemSet(bytes.LoadEffectiveAddressAsPtr(), 0, 0, bytes.LengthInBytes);
                break;
        }
    }

    public override void Synchronize() => Stream.Synchronize();

    public override TimeSpan MeasureTime(Action action)
    {
        using var begin = Stream.AddProfilingMarker();
        action();
        using var end = Stream.AddProfilingMarker();
        return end.MeasureFrom(begin);
    }

    public override void FinishAll() => accelerator.Synchronize();

    public override void Free(MemoryPool pool)
    {
        try
        {
            using var scope = Enter();
            FinishAll();
            pool.Dispose();
        }
        catch (AcceleratorException)
        {
            // After a call that failed, a driver refuses everything but the end of the context, which frees all memory.
            pool.Abandon();
        }
    }

    public override void Close()
    {
        try
        {
            using var scope = Enter();
            FinishAll();
            if (usesPrimaryContext)
                AcceleratorMembers.DisposeQuietly(accelerator);
            else
                accelerator.Dispose();
        }
        catch (AcceleratorException)
        {
            AcceleratorMembers.DisposeQuietly(accelerator);
        }
        context.Dispose();
    }

    public override void Copy<T>(in ArrayView<T> source, in ArrayView<T> target)
    {
        switch (Stream)
        {
            case CudaStream cuda:
                CudaMemoryBuffer.CudaCopy(cuda, source, target);
                break;
            case CLStream opencl:
                CLMemoryBuffer.CLCopy(opencl, source, target);
                break;
            default:
                CPUMemoryBuffer.CPUCopyFrom(Stream, source, target);
                break;
        }
    }
}
