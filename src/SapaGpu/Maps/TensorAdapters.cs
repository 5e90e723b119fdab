using System.Numerics.Tensors;

namespace SapaGpu;

/// <summary>
/// Conversions between feature maps and the tensors of System.Numerics.Tensors, which are in host memory.
/// </summary>
/// <remarks>
/// A tensor has four dimensions in the order of the map's format: [B, C, H, W] for
/// <see cref="MemoryFormat.Contiguous"/>, [B, H, W, C] for <see cref="MemoryFormat.ChannelsLast"/>.
/// </remarks>
public static class TensorAdapters
{
    private const int Rank = 4;

    /// <summary>Copies a tensor, dense or not, into a new map.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="tensor">The tensor, [B, C, H, W] or [B, H, W, C] according to the format.</param>
    /// <param name="device">The device that holds the map.</param>
    /// <param name="format">The order of the tensor's dimensions and the memory format of the map.</param>
    /// <exception cref="ArgumentException">
    /// The tensor does not have four dimensions, one of them is 0, or the format is not defined.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The device has been disposed.</exception>
    public static FeatureMap<T> ToFeatureMap<T>(
        this in ReadOnlyTensorSpan<T> tensor, ComputeDevice device, MemoryFormat format = MemoryFormat.Contiguous)
        where T : unmanaged
    {
        if (tensor.Rank != Rank)
        {
            throw new ArgumentException(
                $"A feature map has {Rank} dimensions, but the tensor has {tensor.Rank}; reshape it.", nameof(tensor));
        }
        var sizes = tensor.Lengths;
        int first = checked((int)sizes[1]), second = checked((int)sizes[2]), third = checked((int)sizes[3]);
        int batch = checked((int)sizes[0]);
        var shape = format == MemoryFormat.ChannelsLast
            ? new MapShape(batch, third, first, second)
            : new MapShape(batch, first, second, third);
        var values = new T[tensor.FlattenedLength];
        tensor.FlattenTo(values);
        return FeatureMap<T>.From(device, shape, values, format);
    }

    /// <summary>Copies a map into a new tensor.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="map">The map, on any device.</param>
    /// <returns>The tensor, [B, C, H, W] or [B, H, W, C] according to the map's format.</returns>
    /// <exception cref="NotSupportedException">The map has more elements than an array can hold.</exception>
    /// <exception cref="ObjectDisposedException">The map or its device has been disposed.</exception>
    public static Tensor<T> ToTensor<T>(this FeatureMap<T> map)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(map);
        return Tensor.Create(map.ToArray(), Sizes(map));
    }

    /// <summary>Returns the elements of a map without gaps in host memory as a tensor, without a copy.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="map">The map.</param>
    /// <returns>
    /// The tensor, [B, C, H, W] or [B, H, W, C] according to the map's format. It is valid as long as
    /// <see cref="FeatureMap{T}.AsSpan"/> is.
    /// </returns>
    /// <exception cref="NotSupportedException">
    /// The device is not the CPU, or the map has gaps or more elements than a span can hold; use
    /// <see cref="ToTensor"/>.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The map has been disposed.</exception>
    public static TensorSpan<T> AsTensorSpan<T>(this FeatureMap<T> map)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(map);
        return new TensorSpan<T>(map.AsSpan(), Sizes(map));
    }

    private static nint[] Sizes(FeatureMap map)
    {
        var shape = map.Shape;
        return map.Format == MemoryFormat.ChannelsLast
            ? [shape.Batch, shape.Height, shape.Width, shape.Channels]
            : [shape.Batch, shape.Channels, shape.Height, shape.Width];
    }
}
