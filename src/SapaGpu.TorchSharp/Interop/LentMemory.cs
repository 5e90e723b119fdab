using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// Torch tensors in memory from the pool of SapaGpu's CPU device, which reuses it. Torch itself returns large tensors
/// to the system at once, and touching new pages at every step takes longer than some of the operators.
/// </summary>
internal static unsafe partial class LentMemory
{
    // From this size on the system's allocator maps and unmaps every tensor.
    private const long SmallestBytes = 1L << 20;

    private static readonly ConcurrentDictionary<nint, FeatureMap> Lent = new();
    private static readonly ConcurrentDictionary<nint, IDisposable> Tied = new();

    /// <summary>Whether a tensor is large enough to benefit.</summary>
    public static bool Suits(MapShape shape, torch.ScalarType type, torch.Device device) =>
        device.type == DeviceType.CPU && shape.ElementCount * type.ElementSize() >= SmallestBytes;

    /// <summary>
    /// Creates a tensor whose content is arbitrary until it is written. Its memory returns to the pool when torch frees
    /// it.
    /// </summary>
    /// <exception cref="InsufficientMemoryException">There is not that much memory.</exception>
    public static torch.Tensor Create(ComputeDevice device, MapShape shape, MemoryFormat format, torch.ScalarType type) =>
        Lend(FeatureMap.Create(device, shape, MemoryFormat.Contiguous, TorchTypes.ElementOf(type)), format);

    /// <summary>
    /// Makes a map without gaps, of the CPU, a tensor over its memory, which torch disposes. No two tensors are made of the same memory.
    /// </summary>
    public static torch.Tensor Lend(FeatureMap map) => Lend(map, map.Format);

    /// <summary>
    /// Ties something to the life of a tensor, which has no use but to be kept: it is disposed when torch frees the tensor.
    /// </summary>
    public static torch.Tensor Tie(ComputeDevice device, IDisposable owned)
    {
        var place = FeatureMap<float>.Create(device, new MapShape(1, 1, 1, 1));
        Tied[place.DataPointer] = owned;
        return Lend(place, MemoryFormat.Contiguous);
    }

    private static torch.Tensor Lend(FeatureMap memory, MemoryFormat format)
    {
        var shape = memory.Shape;
        var type = TorchTypes.ScalarOf(memory.ElementType);
        bool isContiguous = format == MemoryFormat.Contiguous;
        long[] sizes = isContiguous
            ? [shape.Batch, shape.Channels, shape.Height, shape.Width]
            : [shape.Batch, shape.Height, shape.Width, shape.Channels];
        nint pointer = memory.DataPointer;
        Lent[pointer] = memory;
        nint handle;
        fixed (long* first = sizes)
        {
            handle = THSTensor_new(
                pointer, &TakeBack, first, sizes.Length, (sbyte)type, (sbyte)type, (int)DeviceType.CPU, -1, false);
        }
        if (handle == 0)
        {
            Forget(pointer);
            throw new InvalidOperationException($"Torch could not create a tensor of shape {shape} and type {type}.");
        }
        var tensor = torch.Tensor.UnsafeCreateTensor(handle);
        return isContiguous ? tensor : tensor.permute(0, 3, 1, 2);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void TakeBack(nint pointer) => Forget(pointer);

    private static void Forget(nint pointer)
    {
        if (Tied.TryRemove(pointer, out var owned))
            owned.Dispose();
        if (Lent.TryRemove(pointer, out var memory))
            memory.Dispose();
    }

    // Creates a tensor over memory that torch does not own, as TorchSharp does for arrays.
    [LibraryImport("LibTorchSharp")]
    private static partial nint THSTensor_new(
        nint data,
        delegate* unmanaged[Cdecl]<nint, void> deleter,
        long* sizes,
        int dimensions,
        sbyte elementType,
        sbyte resultType,
        int deviceType,
        int deviceIndex,
        [MarshalAs(UnmanagedType.U1)] bool requiresGrad);
}
