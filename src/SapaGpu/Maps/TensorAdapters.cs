using System.Numerics.Tensors;

namespace SapaGpu;

/// <summary>Feature maps from and to the tensors of System.Numerics.Tensors, which are in host memory.</summary>
/// <remarks>
/// A tensor has four dimensions in the order of the map's format: [B, C, H, W] of <see cref="MemoryFormat.Contiguous"/>,
/// [B, H, W, C] of <see cref="MemoryFormat.ChannelsLast"/>.
/// </remarks>
public static class TensorAdapters
{
    private const int Rank = 4;

    /// <summary>Copies a tensor, dense or not, into a map.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="tensor">The tensor, [B, C, H, W] or [B, H, W, C] as the format says.</param>
    /// <param name="device">Where the map lives.</param>
    /// <param name="format">The order of the tensor's dimensions and of the map.</param>
    /// <exception cref="ArgumentException">The tensor does not have four dimensions, or one of them is 0.</exception>
    /// <exception cref="ObjectDisposedException">The device was disposed.</exception>
    public static FeatureMap<T> ToFeatureMap<T>(
        this in ReadOnlyTensorSpan<T> tensor, ComputeDevice device, MemoryFormat format = MemoryFormat.Contiguous)
        where T : unmanaged
    {
        if (tensor.Rank != Rank)
        {
            throw new ArgumentException(
                $"A feature map has {Rank} dimensions, the tensor has {tensor.Rank}; reshape it.", nameof(tensor));
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

    /// <summary>Copies a map into a tensor, in the order of the map's format.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="map">The map, on any device.</param>
    /// <exception cref="NotSupportedException">The map has more elements than an array.</exception>
    /// <exception cref="ObjectDisposedException">The map or its device was disposed.</exception>
    public static Tensor<T> ToTensor<T>(this FeatureMap<T> map)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(map);
        return Tensor.Create(map.ToArray(), Sizes(map));
    }

    /// <summary>The elements of a map without gaps in host memory as a tensor, without a copy.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="map">The map.</param>
    /// <returns>The tensor, in the order of the map's format, valid until the map was disposed.</returns>
    /// <exception cref="NotSupportedException">The map is on a GPU or has gaps; use <see cref="ToTensor"/>.</exception>
    /// <exception cref="ObjectDisposedException">The map was disposed.</exception>
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
