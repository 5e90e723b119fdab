using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// Tensors of torch in memory that SapaGpu's CPU device keeps from one use to the next. Torch itself gives large
/// tensors back to the system at once, and to touch their pages anew at every step takes longer than some of the
/// operators.
/// </summary>
internal static unsafe partial class LentMemory
{
    // From here on the system's allocator maps and unmaps every tensor.
    private const long SmallestBytes = 1L << 20;

    private static readonly ConcurrentDictionary<nint, FeatureMap> Lent = new();

    /// <summary>Whether a tensor is worth it.</summary>
    public static bool Suits(MapShape shape, torch.ScalarType type, torch.Device device) =>
        device.type == DeviceType.CPU && shape.ElementCount * type.ElementSize() >= SmallestBytes;

    /// <summary>
    /// A tensor whose content is arbitrary until it is written; its memory comes back when torch lets go of it.
    /// </summary>
    /// <exception cref="InsufficientMemoryException">There is not that much memory.</exception>
    public static torch.Tensor Create(ComputeDevice device, MapShape shape, MemoryFormat format, torch.ScalarType type)
    {
        var memory = FeatureMap.Create(device, shape, MemoryFormat.Contiguous, TorchTypes.ElementOf(type));
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
            throw new InvalidOperationException($"Torch could not make a tensor of {shape}.");
        }
        var tensor = torch.Tensor.UnsafeCreateTensor(handle);
        return isContiguous ? tensor : tensor.permute(0, 3, 1, 2);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void TakeBack(nint pointer) => Forget(pointer);

    private static void Forget(nint pointer)
    {
        if (Lent.TryRemove(pointer, out var memory))
            memory.Dispose();
    }

    // Torch's own way to make a tensor of memory that it does not own, which TorchSharp uses for arrays.
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
