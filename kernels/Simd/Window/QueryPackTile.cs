using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The values of one query pack of a strip of cells, [channel][4][lanes]: how they are read from and written to a
/// map of query resolution. A query past the last of a cell repeats the last when read and is left out when written;
/// lanes past the end of the map are 0.
/// </summary>
internal static unsafe class QueryPackTile<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load(
        in MapPointer<TStorage> map,
        in Strip strip,
        int row,
        int pack,
        in WindowExtent extent,
        TReal* tile,
        int channels,
        int firstChannel = 0)
    {
        int lanes = TSimd.Lanes;
        if (strip.Columns < lanes || !extent.IsUniform)
            new Span<TReal>(tile, channels * 4 * lanes).Clear();
        if (!extent.IsUniform)
        {
            LoadCells(in map, in strip, row, pack, in extent, tile, channels, firstChannel);
            return;
        }
        var first = StripQueries.Locate(in extent, row, strip.Column);
        if (IsPairs(in first, in map) && strip.Columns == lanes)
        {
            TStorage* pairs = map.At(strip.Image, firstChannel, first.Row, first.Column);
            LoadPairs(pairs, map.ChannelStride, map.RowStride, tile, channels);
            return;
        }
        nint stride = first.Columns * map.ColumnStride;
        if (IsRun(in first, in map))
        {
            TStorage* source = first.At(in map, strip.Image, firstChannel, pack * 4);
            for (int channel = 0; channel < channels; channel++)
            {
                TSimd.Transpose(
                    source + channel * map.ChannelStride, stride, tile + channel * 4 * lanes, lanes, strip.Columns, 4);
            }
            return;
        }
        for (int member = 0; member < 4; member++)
        {
            TStorage* source = first.At(in map, strip.Image, firstChannel, pack * 4 + member);
            TReal* destination = tile + member * lanes;
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
        TReal* tile,
        in MapPointer<TStorage> map,
        in Strip strip,
        int row,
        int pack,
        in WindowExtent extent,
        int firstChannel,
        int channels,
        bool streams = false)
    {
        int lanes = TSimd.Lanes;
        if (!extent.IsUniform)
        {
            StoreCells(tile, in map, in strip, row, pack, in extent, firstChannel, channels);
            return;
        }
        var first = StripQueries.Locate(in extent, row, strip.Column);
        if (IsPairs(in first, in map))
        {
            for (int channel = 0; channel < channels; channel++)
            {
                TReal* source = tile + channel * 4 * lanes;
                TStorage* destination = map.At(strip.Image, firstChannel + channel, first.Row, first.Column);
                TSimd.Interleave(source, source + lanes, destination, strip.Columns, streams);
                TSimd.Interleave(
                    source + 2 * lanes, source + 3 * lanes, destination + map.RowStride, strip.Columns, streams);
            }
            return;
        }

        nint stride = first.Columns * map.ColumnStride;
        if (IsRun(in first, in map))
        {
            TStorage* destination = first.At(in map, strip.Image, firstChannel, pack * 4);
            for (int channel = 0; channel < channels; channel++)
            {
                TSimd.TransposeBack(
                    tile + channel * 4 * lanes, lanes, destination + channel * map.ChannelStride, stride, 4, strip.Columns);
            }
            return;
        }
        int members = Math.Min(4, first.Count - pack * 4);
        for (int member = 0; member < members; member++)
        {
            TReal* source = tile + member * lanes;
            TStorage* destination = first.At(in map, strip.Image, firstChannel, pack * 4 + member);
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

    /// <summary>Whether the four queries of a cell are two pairs, each side by side.</summary>
    public static bool IsPairs(in StripQueries queries, in MapPointer<TStorage> map) =>
        queries.Columns == 2 && queries.Count == 4 && map.ColumnStride == 1;

    // Whether the four queries of every query pack lie side by side.
    private static bool IsRun(in StripQueries queries, in MapPointer<TStorage> map) =>
        queries.Columns % 4 == 0 && map.ColumnStride == 1;

    // Two rows of pairs of queries of a whole strip.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LoadPairs(TStorage* upper, nint channelStride, nint rowStride, TReal* tile, int channels)
    {
        int lanes = TSimd.Lanes;
        for (int channel = 0; channel < channels; channel++)
        {
            TStorage* lower = upper + rowStride;
            var first = TSimd.LoadEven(upper);
            var second = TSimd.LoadOdd(upper);
            var third = TSimd.LoadEven(lower);
            var fourth = TSimd.LoadOdd(lower);
            TSimd.Store(tile, first);
            TSimd.Store(tile + lanes, second);
            TSimd.Store(tile + 2 * lanes, third);
            TSimd.Store(tile + 3 * lanes, fourth);
            upper += channelStride;
            tile += 4 * lanes;
        }
    }

    // Cells that differ in their number of queries are read one by one.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LoadCells(
        in MapPointer<TStorage> map,
        in Strip strip,
        int row,
        int pack,
        in WindowExtent extent,
        TReal* tile,
        int channels,
        int firstChannel)
    {
        int lanes = TSimd.Lanes;
        for (int lane = 0; lane < strip.Columns; lane++)
        {
            var queries = StripQueries.Locate(in extent, row, strip.Column + lane);
            if (queries.Count <= pack * 4)
                continue;
            for (int member = 0; member < 4; member++)
            {
                TStorage* source = queries.At(in map, strip.Image, firstChannel, pack * 4 + member);
                TReal* destination = tile + member * lanes + lane;
                for (int channel = 0; channel < channels; channel++)
                    destination[(nint)channel * 4 * lanes] = TSimd.Widen(source[channel * map.ChannelStride]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreCells(
        TReal* tile,
        in MapPointer<TStorage> map,
        in Strip strip,
        int row,
        int pack,
        in WindowExtent extent,
        int firstChannel,
        int channels)
    {
        int lanes = TSimd.Lanes;
        for (int lane = 0; lane < strip.Columns; lane++)
        {
            var queries = StripQueries.Locate(in extent, row, strip.Column + lane);
            int members = Math.Min(4, queries.Count - pack * 4);
            for (int member = 0; member < members; member++)
            {
                TReal* source = tile + member * lanes + lane;
                TStorage* destination = queries.At(in map, strip.Image, firstChannel, pack * 4 + member);
                for (int channel = 0; channel < channels; channel++)
                    destination[channel * map.ChannelStride] = TSimd.Narrow(source[(nint)channel * 4 * lanes]);
            }
        }
    }
}
