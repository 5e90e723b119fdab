using ILGPU.Runtime.Cuda;
using SapaGpu.Devices;
using static ILGPU.Runtime.Cuda.CudaAPI;

namespace SapaGpu.Tests.Devices;

/// <summary>
/// Another framework as far as memory goes: it keeps the primary context of a GPU current on its thread, and its memory
/// there.
/// </summary>
internal sealed class CudaFramework : IDisposable
{
    private readonly int ordinal;
    private readonly nint before;
    private readonly List<nint> memory = [];

    public CudaFramework(int ordinal)
    {
        this.ordinal = ordinal;
        before = CudaDriver.CurrentContext();
        Context = CudaDriver.RetainPrimaryContext(ordinal);
        Check(CurrentAPI.SetCurrentContext(Context));
    }

    public nint Context { get; }

    /// <summary>Memory of a number of values.</summary>
    public nint Allocate(int count)
    {
        Check(CurrentAPI.AllocateMemory(out nint pointer, count * sizeof(float)));
        memory.Add(pointer);
        return pointer;
    }

    /// <summary>Memory with values.</summary>
    public unsafe nint Allocate(float[] values)
    {
        nint pointer = Allocate(values.Length);
        fixed (float* first = values)
            Check(CurrentAPI.MemcpyAsync(pointer, (nint)first, values.Length * sizeof(float), null));
        return pointer;
    }

    /// <summary>Queues a copy of memory with values on a stream.</summary>
    public void Copy(nint from, nint to, int count, CudaStream? stream) =>
        Check(CurrentAPI.MemcpyAsync(to, from, count * sizeof(float), stream));

    /// <summary>Reads values.</summary>
    public unsafe float[] Read(nint pointer, int count)
    {
        var values = new float[count];
        Check(CurrentAPI.SynchronizeContext());
        fixed (float* first = values)
            Check(CurrentAPI.MemcpyAsync((nint)first, pointer, count * sizeof(float), null));
        Check(CurrentAPI.SynchronizeContext());
        return values;
    }

    public void Dispose()
    {
        foreach (nint pointer in memory)
            Check(CurrentAPI.FreeMemory(pointer));
        Check(CurrentAPI.SetCurrentContext(before));
        Check(CudaDriver.ReleasePrimaryContext(ordinal));
    }

    private static void Check(CudaError error) => CudaException.ThrowIfFailed(error);
}
