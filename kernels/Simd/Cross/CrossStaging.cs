using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>Reads the queries and the cells of a tile into scratch memory, and writes results of queries.</summary>
internal static unsafe class CrossStaging<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    /// <summary>Reads the queries of a tile as [channel][query], multiplied by a factor; queries past the last are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void QueriesAcross(
        in MapPointer<TStorage> map, in CrossTile tile, int channels, TReal* across, int stride, TReal factor)
    {
        for (int row = 0; row < tile.Rows; row++)
        {
            QueryBlock<TSimd, TStorage, TReal, TVector>.Load(
                in map,
                map.At(tile.Image, 0, tile.Row + row, tile.Column),
                across + row * tile.Columns,
                stride,
                channels,
                tile.Columns);
        }
        for (int channel = 0; channel < channels; channel++)
            new Span<TReal>(across + (nint)channel * stride + tile.Queries, stride - tile.Queries).Clear();
        Scale(across, (nint)channels * stride, factor);
    }

    /// <summary>Reads the queries of a tile as [query][channel], multiplied by a factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void QueryRows(
        in MapPointer<TStorage> map, in CrossTile tile, int channels, TReal* rows, int stride, TReal factor)
    {
        for (int row = 0; row < tile.Rows; row++)
        {
            var span = Span(in tile, row);
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(
                in map, in span, rows + (nint)row * tile.Columns * stride, channels, stride);
        }
        Scale(rows, (nint)tile.Queries * stride, factor);
    }

    /// <summary>Asks for some channels of every set of weights of the queries of a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PrefetchQueries(in MapView<TStorage> view, in CrossTile tile, int channels)
    {
        var map = new MapPointer<TStorage>(in view);
        for (int row = 0; row < tile.Rows; row++)
        {
            var span = Span(in tile, row);
            Prefetch.LaterPixels(in map, in span, tile.Set * channels, channels);
        }
    }

    /// <summary>Writes the results of the queries of a tile, [query][channel], multiplied by a factor.</summary>
    /// <param name="rows">The results.</param>
    /// <param name="stride">From one query to the next.</param>
    /// <param name="tile">The tile.</param>
    /// <param name="map">The map.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="factor">The factor.</param>
    /// <param name="values">The values of the whole map; a large one is written past the caches.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void StoreQueries(
        TReal* rows, int stride, in CrossTile tile, in MapPointer<TStorage> map, int channels, TReal factor, long values)
    {
        Scale(rows, (nint)tile.Queries * stride, factor);
        bool streams = PixelRows<TSimd, TStorage, TReal, TVector>.Streams(in map, values);
        for (int row = 0; row < tile.Rows; row++)
        {
            var span = Span(in tile, row);
            PixelRows<TSimd, TStorage, TReal, TVector>.Store(
                rows + (nint)row * tile.Columns * stride, stride, in map, in span, channels, streams);
        }
    }

    /// <summary>Reads a block of cells as [cell][channel].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Cells(
        in MapPointer<TStorage> map, in CrossTile tile, in CrossBlock block, int channels, TReal* cells, int stride)
    {
        int row = block.First / tile.CellColumns;
        int column = block.First - row * tile.CellColumns;
        for (int done = 0; done < block.Count;)
        {
            var span = new PixelSpan
            {
                Image = tile.Image,
                Row = tile.FirstCellRow + row,
                Column = tile.FirstCellColumn + column,
                Count = Math.Min(tile.CellColumns - column, block.Count - done),
            };
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(in map, in span, cells + (nint)done * stride, channels, stride);
            done += span.Count;
            row++;
            column = 0;
        }
    }

    /// <summary>
    /// Zeroes the rows of the cells of a block that a bias of −∞ takes away, so that what they hold, NaN perhaps, meets no weight of 0.
    /// </summary>
    public static void ClearMasked(TReal* bias, in CrossBlock block, TReal* cells, int stride)
    {
        for (int cell = 0; cell < block.Count; cell++)
        {
            if (TReal.IsNegativeInfinity(bias[cell]))
                new Span<TReal>(cells + (nint)cell * stride, stride).Clear();
        }
    }

    /// <summary>Whether all values of a rectangle stay finite when a factor multiplies them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool IsFinite(
        in MapPointer<TStorage> map, int channels, int image, int row, int rows, int column, int columns, TReal factor)
    {
        int lanes = TSimd.Lanes;
        bool channelsLast = map.IsChannelsLast && map.ColumnStride != 1;
        int runs = channelsLast ? columns : channels;
        nint step = channelsLast ? map.ColumnStride : map.ChannelStride;
        int length = channelsLast ? channels : columns;
        var zero = TSimd.Constant(0.0);
        var factors = TSimd.Broadcast(factor);
        var sums = zero;
        TReal sum = TReal.Zero;
        for (int y = 0; y < rows; y++)
        {
            TStorage* run = map.At(image, 0, row + y, column);
            for (int i = 0; i < runs; i++)
            {
                int at = 0;
                for (; at + lanes <= length; at += lanes)
                    sums = TSimd.MultiplyAdd(TSimd.Multiply(TSimd.LoadStorage(run + at), factors), zero, sums);
                for (; at < length; at++)
                    sum += TSimd.Widen(run[at * (channelsLast ? 1 : map.ColumnStride)]) * factor * TReal.Zero;
                run += step;
            }
        }
        return TSimd.Sum(sums) + sum == TReal.Zero;
    }

    private static PixelSpan Span(in CrossTile tile, int row) => new()
    {
        Image = tile.Image,
        Row = tile.Row + row,
        Column = tile.Column,
        Count = tile.Columns,
    };

    // Rows are whole vectors.
    private static void Scale(TReal* values, nint count, TReal factor)
    {
        if (factor == TReal.One)
            return;
        var vector = TSimd.Broadcast(factor);
        for (nint at = 0; at < count; at += TSimd.Lanes)
            TSimd.Store(values + at, TSimd.Multiply(TSimd.Load(values + at), vector));
    }
}
