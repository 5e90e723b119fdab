using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The values of one quad of queries of a strip of cells, [channel][4][lanes]: how they are read from and written to a
/// map of query resolution. A query past the last of a cell repeats the last when read and is left out when written;
/// lanes past the end of the map are 0.
/// </summary>
internal static unsafe class QuadTile<TSimd, TStorage, T, TVector>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load(
        in MapPointer<TStorage> map, in Strip strip, int row, int quad, int scale, T* tile, int channels)
    {
        int lanes = TSimd.Lanes;
        if (strip.Columns < lanes)
            new Span<T>(tile, channels * 4 * lanes).Clear();
        int last = scale * scale - 1;
        for (int member = 0; member < 4; member++)
        {
            int query = Math.Min(quad * 4 + member, last);
            TStorage* source = map.At(
                strip.Image, 0, row * scale + query / scale, strip.Column * scale + query % scale);
            nint stride = scale * map.ColumnStride;
            T* destination = tile + member * lanes;
            if (map.IsChannelsLast)
            {
                TSimd.Transpose(source, stride, destination, 4 * lanes, strip.Columns, channels);
                continue;
            }
            for (int channel = 0; channel < channels; channel++)
            {
                TSimd.Gather(
                    source + channel * map.ChannelStride, stride, destination + channel * 4 * lanes, strip.Columns);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(
        T* tile,
        in MapPointer<TStorage> map,
        in Strip strip,
        int row,
        int quad,
        int scale,
        int firstChannel,
        int channels)
    {
        int lanes = TSimd.Lanes;
        nint stride = scale * map.ColumnStride;
        if (scale == 2 && map.ColumnStride == 1)
        {
            for (int channel = 0; channel < channels; channel++)
            {
                T* source = tile + channel * 4 * lanes;
                TStorage* destination = map.At(strip.Image, firstChannel + channel, row * 2, strip.Column * 2);
                TSimd.Interleave(source, source + lanes, destination, strip.Columns);
                TSimd.Interleave(
                    source + 2 * lanes, source + 3 * lanes, destination + map.RowStride, strip.Columns);
            }
            return;
        }

        int members = Math.Min(4, scale * scale - quad * 4);
        for (int member = 0; member < members; member++)
        {
            int query = quad * 4 + member;
            T* source = tile + member * lanes;
            TStorage* destination = map.At(
                strip.Image, firstChannel, row * scale + query / scale, strip.Column * scale + query % scale);
            if (map.IsChannelsLast)
            {
                TSimd.TransposeBack(source, 4 * lanes, destination, stride, channels, strip.Columns);
                continue;
            }
            for (int channel = 0; channel < channels; channel++)
            {
                TSimd.Scatter(
                    source + channel * 4 * lanes, destination + channel * map.ChannelStride, stride, strip.Columns);
            }
        }
    }
}
