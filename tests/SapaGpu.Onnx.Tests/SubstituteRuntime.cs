using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SapaGpu.Onnx.Runtime;

namespace SapaGpu.Onnx.Tests;

/// <summary>
/// The functions that ONNX Runtime offers to a node on a GPU, for a node whose operands are maps: what a build of ONNX Runtime with
/// CUDA does, on machines without a GPU.
/// </summary>
internal sealed unsafe class SubstituteRuntime : IDisposable
{
    // The places of the functions in the table, as onnxruntime_c_api.h has them.
    private const int Size = 200;
    private const int GetTensorMutableData = 51;
    private const int GetDimensionsCount = 61;
    private const int GetDimensions = 62;
    private const int GetTensorTypeAndShape = 65;
    private const int MemoryInfoGetId = 72;
    private const int KernelContextGetInput = 90;
    private const int KernelContextGetOutput = 91;
    private const int ReleaseTensorTypeAndShapeInfo = 99;
    private const int KernelContextGetGpuComputeStream = 193;
    private const int GetTensorMemoryInfo = 194;

    private readonly nint* table = (nint*)NativeMemory.AllocZeroed(Size, (nuint)sizeof(nint));
    private readonly GCHandle handle;
    private readonly List<GCHandle> values = [];

    public SubstituteRuntime()
    {
        handle = GCHandle.Alloc(this);
        table[GetTensorMutableData] = (nint)(delegate* unmanaged[Cdecl]<nint, nint*, nint>)&Data;
        table[GetDimensionsCount] = (nint)(delegate* unmanaged[Cdecl]<nint, nuint*, nint>)&Rank;
        table[GetDimensions] = (nint)(delegate* unmanaged[Cdecl]<nint, long*, nuint, nint>)&Dimensions;
        table[GetTensorTypeAndShape] = (nint)(delegate* unmanaged[Cdecl]<nint, nint*, nint>)&Same;
        table[MemoryInfoGetId] = (nint)(delegate* unmanaged[Cdecl]<nint, int*, nint>)&Number;
        table[KernelContextGetInput] = (nint)(delegate* unmanaged[Cdecl]<nint, nuint, nint*, nint>)&Input;
        table[KernelContextGetOutput] = (nint)(delegate* unmanaged[Cdecl]<nint, nuint, long*, nuint, nint*, nint>)&Output;
        table[ReleaseTensorTypeAndShapeInfo] = (nint)(delegate* unmanaged[Cdecl]<nint, void>)&Release;
        table[KernelContextGetGpuComputeStream] = (nint)(delegate* unmanaged[Cdecl]<nint, nint*, nint>)&ComputeStream;
        table[GetTensorMemoryInfo] = (nint)(delegate* unmanaged[Cdecl]<nint, nint*, nint>)&Same;
    }

    public OrtApi Api => new(table);

    /// <summary>Gets the OrtKernelContext* of the node.</summary>
    public nint Context => GCHandle.ToIntPtr(handle);

    /// <summary>Gets or sets the stream of the session.</summary>
    public nint Stream { get; set; }

    /// <summary>Gets or sets the operands, and behind them the output.</summary>
    public IReadOnlyList<FeatureMap> Maps { get; set; } = [];

    public void Dispose()
    {
        NativeMemory.Free(table);
        handle.Free();
        foreach (var value in values)
            value.Free();
    }

    private static SubstituteRuntime Of(nint context) => (SubstituteRuntime)GCHandle.FromIntPtr(context).Target!;

    private nint Tell(FeatureMap map, nint* value)
    {
        values.Add(GCHandle.Alloc(map));
        *value = GCHandle.ToIntPtr(values[^1]);
        return 0;
    }

    private static FeatureMap MapOf(nint value) => (FeatureMap)GCHandle.FromIntPtr(value).Target!;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Input(nint context, nuint index, nint* value) => Of(context).Tell(Of(context).Maps[(int)index], value);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Output(nint context, nuint index, long* sizes, nuint rank, nint* value) =>
        Of(context).Tell(Of(context).Maps[^1], value);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint ComputeStream(nint context, nint* stream)
    {
        *stream = Of(context).Stream;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Data(nint value, nint* data)
    {
        *data = MapOf(value).DataPointer;
        return 0;
    }

    // What tells shape or place of a value is the value.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Same(nint value, nint* about)
    {
        *about = value;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Rank(nint info, nuint* rank)
    {
        *rank = 4;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Dimensions(nint info, long* sizes, nuint count)
    {
        var shape = MapOf(info).Shape;
        (sizes[0], sizes[1], sizes[2], sizes[3]) = (shape.Batch, shape.Channels, shape.Height, shape.Width);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Number(nint memory, int* number)
    {
        *number = MapOf(memory).Device.Info.Ordinal;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Release(nint info)
    {
    }
}
