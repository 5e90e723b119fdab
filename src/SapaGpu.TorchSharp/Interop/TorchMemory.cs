using System.Runtime.InteropServices;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>Torch tensors as feature maps over the same memory, and new tensors for the results of operators.</summary>
internal static partial class TorchMemory
{
    /// <summary>The memory format of a tensor with four dimensions; null if it has gaps or another order.</summary>
    public static MemoryFormat? FormatOf(torch.Tensor map)
    {
        long[] shape = map.shape;
        long[] stride = map.stride();
        var (batch, channels, height, width) = (shape[0], shape[1], shape[2], shape[3]);
        if (Lies(0, channels * height * width) && Lies(1, height * width) && Lies(2, width) && Lies(3, 1))
            return MemoryFormat.Contiguous;
        if (Lies(0, channels * height * width) && Lies(1, 1) && Lies(2, width * channels) && Lies(3, channels))
            return MemoryFormat.ChannelsLast;
        return null;

        // The stride of a dimension of one element has no meaning.
        bool Lies(int dimension, long expected) => shape[dimension] == 1 || stride[dimension] == expected;
    }

    /// <summary>The shape of a map.</summary>
    public static MapShape ShapeOf(torch.Tensor map)
    {
        long[] shape = map.shape;
        return new MapShape(
            checked((int)shape[0]), checked((int)shape[1]), checked((int)shape[2]), checked((int)shape[3]));
    }

    /// <summary>Creates a map whose content is arbitrary until it is written.</summary>
    public static torch.Tensor Create(
        MapShape shape, MemoryFormat format, torch.ScalarType type, torch.Device device)
    {
        if (LentMemory.Suits(shape, type, device))
            return LentMemory.Create(TorchDevices.Of(device), shape, format, type);
        return format == MemoryFormat.Contiguous
            ? torch.empty([shape.Batch, shape.Channels, shape.Height, shape.Width], type, device)
            : torch.empty([shape.Batch, shape.Height, shape.Width, shape.Channels], type, device).permute(0, 3, 1, 2);
    }

    /// <summary>Creates a map with the shape, format, type and device of another.</summary>
    public static torch.Tensor CreateLike(torch.Tensor map) =>
        Create(ShapeOf(map), FormatOf(map) ?? MemoryFormat.Contiguous, map.dtype, map.device);

    /// <summary>A contiguous or channels-last tensor as a feature map over the same memory.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    public static FeatureMap<T> Wrap<T>(torch.Tensor map)
        where T : unmanaged
    {
        var format = FormatOf(map)
            ?? throw new ArgumentException(
                "The tensor must be contiguous or channels-last; call contiguous().", nameof(map));
        return FeatureMap<T>.Wrap(TorchDevices.Of(map.device), Pointer(map), ShapeOf(map), format);
    }

    /// <summary>A map of the type that maps of an element type are computed in.</summary>
    /// <typeparam name="T">The element type of the maps.</typeparam>
    public static FeatureMap WrapAccumulator<T>(torch.Tensor map)
        where T : unmanaged => typeof(T) == typeof(double) ? Wrap<double>(map) : Wrap<float>(map);

    /// <summary>
    /// A contiguous parameter in the type that maps of an element type are computed in: a vector [N] as [1, N, 1, 1], a
    /// matrix [O, I] as [O, I, 1, 1].
    /// </summary>
    /// <typeparam name="T">The element type of the maps.</typeparam>
    public static FeatureMap WrapParameter<T>(torch.Tensor parameter)
        where T : unmanaged
    {
        long[] shape = parameter.shape;
        var (rows, columns) = shape.Length == 1 ? (1, shape[0]) : (shape[0], shape[1]);
        var own = new MapShape(checked((int)rows), checked((int)columns), 1, 1);
        return typeof(T) == typeof(double) ? WrapAs<double>(parameter, own) : WrapAs<float>(parameter, own);
    }

    /// <summary>A contiguous tensor of any number of dimensions as a map of a shape with as many elements.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    public static FeatureMap<T> WrapAs<T>(torch.Tensor tensor, MapShape shape)
        where T : unmanaged => FeatureMap<T>.Wrap(TorchDevices.Of(tensor.device), Pointer(tensor), shape);

    private static nint Pointer(torch.Tensor tensor)
    {
        nint pointer = THSTensor_data(tensor.Handle);
        GC.KeepAlive(tensor);
        return pointer;
    }

    // Torch's own accessors read host memory only, in arrays that cannot be larger than 2 GiB.
    [LibraryImport("LibTorchSharp")]
    private static partial nint THSTensor_data(nint tensor);
}
