using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// A run of neighbouring pixels of a row, staged with the pixels in the lanes, [channel][pixels], whatever the format
/// of the map; pixels past the end of the row are zeros that are never written back.
/// </summary>
internal static unsafe class PixelTile<TSimd, TStorage, T, TVector>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged
    where TVector : struct
{
    /// <summary>Reads a run of a map.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load(in MapPointer<TStorage> map, in PixelSpan span, T* tile, int channels, int length)
    {
        if (span.Count < length)
            new Span<T>(tile, channels * length).Clear();
        TStorage* source = map.At(span.Image, 0, span.Row, span.Column);
        if (map.IsChannelsLast)
        {
            TSimd.Transpose(source, map.ColumnStride, tile, length, span.Count, channels);
            return;
        }
        for (int channel = 0; channel < channels; channel++)
        {
            TSimd.Gather(
                source + channel * map.ChannelStride, map.ColumnStride, tile + (nint)channel * length, span.Count);
        }
    }

    /// <summary>Writes a run of a map.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(T* tile, in MapPointer<TStorage> map, in PixelSpan span, int channels, int length)
    {
        TStorage* destination = map.At(span.Image, 0, span.Row, span.Column);
        if (map.IsChannelsLast)
        {
            TSimd.TransposeBack(tile, length, destination, map.ColumnStride, channels, span.Count);
            return;
        }
        for (int channel = 0; channel < channels; channel++)
        {
            TSimd.Scatter(
                tile + (nint)channel * length, destination + channel * map.ChannelStride, map.ColumnStride, span.Count);
        }
    }

    /// <summary>
    /// Subtracts the mean of every pixel and multiplies with its reciprocal deviation; mean and reciprocal are one
    /// value a pixel.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Normalise(T* tile, T* mean, T* reciprocal, int channels, int length)
    {
        for (int pixel = 0; pixel < length; pixel += TSimd.Lanes)
        {
            var centre = TSimd.Load(mean + pixel);
            var factor = TSimd.Load(reciprocal + pixel);
            for (int channel = 0; channel < channels; channel++)
            {
                T* value = tile + (nint)channel * length + pixel;
                TSimd.Store(value, TSimd.Multiply(TSimd.Subtract(TSimd.Load(value), centre), factor));
            }
        }
    }
}

/// <summary>A run of neighbouring pixels of a row.</summary>
internal struct PixelSpan
{
    public int Image;
    public int Row;
    public int Column;
    public int Count;

    /// <summary>Finds a run by its number.</summary>
    public static PixelSpan Locate(in PointwiseExtent extent, long run, int length)
    {
        int across = (extent.Width + length - 1) / length;
        (long row, long tile) = Math.DivRem(run, across);
        int column = (int)tile * length;
        return new PixelSpan
        {
            Image = (int)(row / extent.Height),
            Row = (int)(row % extent.Height),
            Column = column,
            Count = Math.Min(length, extent.Width - column),
        };
    }
}
