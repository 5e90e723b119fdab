using System.Numerics;
using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Some channels of some neighbouring queries of a row, staged with the queries side by side, [channel][query],
/// whatever the format of the map.
/// </summary>
internal static unsafe class QueryBlock<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    /// <summary>Reads a block, whose first value is given; what follows the last query is left as it is.</summary>
    /// <param name="map">The map.</param>
    /// <param name="first">The first channel of the first query.</param>
    /// <param name="block">The block.</param>
    /// <param name="width">The elements from one channel of the block to the next.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="queries">The queries.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load(
        in MapPointer<TStorage> map, TStorage* first, TReal* block, int width, int channels, int queries)
    {
        if (map.IsChannelsLast && map.ColumnStride != 1)
        {
            TSimd.Transpose(first, map.ColumnStride, block, width, queries, channels);
            return;
        }
        for (int channel = 0; channel < channels; channel++)
            TSimd.Gather(first + channel * map.ChannelStride, map.ColumnStride, block + (nint)channel * width, queries);
    }

    /// <summary>Writes a block.</summary>
    /// <inheritdoc cref="Load"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(
        TReal* block, int width, in MapPointer<TStorage> map, TStorage* first, int channels, int queries)
    {
        if (map.IsChannelsLast && map.ColumnStride != 1)
        {
            TSimd.TransposeBack(block, width, first, map.ColumnStride, channels, queries);
            return;
        }
        for (int channel = 0; channel < channels; channel++)
            TSimd.Scatter(
                block + (nint)channel * width, first + channel * map.ChannelStride, map.ColumnStride, queries);
    }
}
