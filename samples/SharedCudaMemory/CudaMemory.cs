using System.Runtime.InteropServices;

namespace SapaGpu.Samples.SharedCudaMemory;

/// <summary>Another framework as far as it matters here: the primary context of the first GPU, a stream, and memory.</summary>
internal sealed unsafe partial class CudaMemory : IDisposable
{
    // On Windows the driver is nvcuda.dll.
    private const string Driver = "libcuda.so.1";

    private readonly int gpu;
    private readonly List<ulong> memory = [];

    static CudaMemory() => NativeLibrary.SetDllImportResolver(
        typeof(CudaMemory).Assembly,
        (name, _, _) => NativeLibrary.Load(OperatingSystem.IsWindows() ? "nvcuda.dll" : name));

    public CudaMemory()
    {
        Check(cuInit(0));
        Check(cuDeviceGet(out gpu, 0));
        Check(cuDevicePrimaryCtxRetain(out nint context, gpu));
        Check(cuCtxSetCurrent(context));
        Check(cuStreamCreate(out nint stream, 0));
        Stream = stream;
    }

    /// <summary>Gets the stream that the framework queues its work on.</summary>
    public nint Stream { get; }

    /// <summary>Memory with values, queued on the stream.</summary>
    public nint Allocate(float[] values)
    {
        Check(cuMemAlloc(out ulong pointer, (nuint)values.Length * sizeof(float)));
        memory.Add(pointer);
        fixed (float* first = values)
            Check(cuMemcpyHtoDAsync(pointer, first, (nuint)values.Length * sizeof(float), Stream));
        Check(cuStreamSynchronize(Stream));
        return (nint)pointer;
    }

    /// <summary>The values of memory after all that is queued on the stream.</summary>
    public float[] Read(nint pointer, int count)
    {
        float[] values = new float[count];
        fixed (float* first = values)
            Check(cuMemcpyDtoHAsync(first, (ulong)pointer, (nuint)count * sizeof(float), Stream));
        Check(cuStreamSynchronize(Stream));
        return values;
    }

    public void Dispose()
    {
        foreach (ulong pointer in memory)
            Check(cuMemFree(pointer));
        Check(cuStreamDestroy(Stream));
        Check(cuDevicePrimaryCtxRelease(gpu));
    }

    private static void Check(int status)
    {
        if (status != 0)
            throw new InvalidOperationException($"The CUDA driver answers {status}.");
    }

    [LibraryImport(Driver)]
    private static partial int cuInit(uint flags);

    [LibraryImport(Driver)]
    private static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Driver)]
    private static partial int cuDevicePrimaryCtxRetain(out nint context, int device);

    [LibraryImport(Driver, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    private static partial int cuDevicePrimaryCtxRelease(int device);

    [LibraryImport(Driver)]
    private static partial int cuCtxSetCurrent(nint context);

    [LibraryImport(Driver)]
    private static partial int cuStreamCreate(out nint stream, uint flags);

    [LibraryImport(Driver, EntryPoint = "cuStreamDestroy_v2")]
    private static partial int cuStreamDestroy(nint stream);

    [LibraryImport(Driver)]
    private static partial int cuStreamSynchronize(nint stream);

    [LibraryImport(Driver, EntryPoint = "cuMemAlloc_v2")]
    private static partial int cuMemAlloc(out ulong pointer, nuint bytes);

    [LibraryImport(Driver, EntryPoint = "cuMemFree_v2")]
    private static partial int cuMemFree(ulong pointer);

    [LibraryImport(Driver, EntryPoint = "cuMemcpyHtoDAsync_v2")]
    private static partial int cuMemcpyHtoDAsync(ulong target, void* source, nuint bytes, nint stream);

    [LibraryImport(Driver, EntryPoint = "cuMemcpyDtoHAsync_v2")]
    private static partial int cuMemcpyDtoHAsync(void* target, ulong source, nuint bytes, nint stream);
}
