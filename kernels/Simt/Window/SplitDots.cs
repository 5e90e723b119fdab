using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Inner products of the queries of a tile with the keys of their windows, for maps whose channels lie side by side.
/// Eight threads share a cell, each with every eighth pack of four channels, so that they read a line of 128 bytes
/// together; a thread holds the sums of its channels for the four queries and the taps of one row of the window. The
/// eight sums of a product meet in shared memory.
/// </summary>
/// <remarks>
/// A thread for every product would read a key of its own: eight lines where this reads one, and every query once for
/// each tap instead of once for each row of the window.
/// </remarks>
internal static class SplitDots<TElement, TStorage, TReal, TWindow, TScale, TBorder>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWindow : struct, IWindow
    where TScale : struct, IScale
    where TBorder : struct, IBorder
{
    private const int Lanes = 8;
    private const int ChannelsPerRound = 4 * Lanes;

    // One more than there are: threads that add up neighbouring products then read from different banks.
    private const int LaneStride = Lanes + 1;
    private const int GroupSize = 128;
    private const int CellsPerRound = GroupSize / Lanes;

    // What the scores take of shared memory in single precision; in double precision the sums would not fit beside
    // them.
    private const int SinglePrecisionCapacity = 8192;

    /// <summary>
    /// Gets whether the products are to be found here; the sums of a row of the window are fields of a thread, so its
    /// width has to be known.
    /// </summary>
    public static bool Serves<TAccess>()
        where TAccess : struct, IChannelAccess =>
        TAccess.ChannelsFastest && TWindow.IsFixed && TElement.SharedCapacity == SinglePrecisionCapacity;

    /// <summary>Allocates the sums of one row of the window.</summary>
    public static ArrayView<Pack4<TReal>> AllocatePartials() =>
        SharedMemory.Allocate<Pack4<TReal>>(
            TElement.SharedCapacity == SinglePrecisionCapacity ? CellsPerRound * TWindow.Size(0) * LaneStride + 1 : 1)
            .AsAligned(16);

    /// <summary>
    /// scores = ⟨query, key⟩ for every cell and tap (index tap·cells + cell). Run by a whole group of 128 threads; the
    /// caller places the barrier before the scores are read.
    /// </summary>
    public static void Compute<TAccess>(
        in WindowExtent extent,
        in CellTile tile,
        int pack,
        in MapView<TStorage> query,
        in MapView<TStorage> key,
        int channels,
        TReal outside,
        ArrayView<Pack4<TReal>> partials,
        ArrayView<Pack4<TReal>> scores)
        where TAccess : struct, IChannelAccess
    {
        int window = TWindow.Size(extent.Window);
        for (int firstCell = 0; firstCell < tile.Cells; firstCell += CellsPerRound)
        {
            for (int windowRow = 0; windowRow < window; windowRow++)
            {
                Accumulate<TAccess>(
                    in extent, in tile, pack, in query, in key, channels, firstCell, windowRow, partials);
                Group.Barrier();
                AddUp(in extent, in tile, pack, outside, firstCell, windowRow, partials, scores);
                Group.Barrier();
            }
        }
    }

    private static void Accumulate<TAccess>(
        in WindowExtent extent,
        in CellTile tile,
        int pack,
        in MapView<TStorage> query,
        in MapView<TStorage> key,
        int channels,
        int firstCell,
        int windowRow,
        ArrayView<Pack4<TReal>> partials)
        where TAccess : struct, IChannelAccess
    {
        int window = TWindow.Size(extent.Window);
        int radius = window / 2;
        int lane = Group.IdxX % Lanes;
        int cell = firstCell + Group.IdxX / Lanes;
        int row = tile.CellRow(cell);
        int column = tile.CellColumn(cell);
        if (cell >= tile.Cells || !tile.Holds(row, column, extent.Width))
            return;
        int keyRow = Tap(row + windowRow - radius, extent.Height);
        var queries = CellQueries.Locate<TScale>(in extent, row, column);
        if (queries.Count <= pack * 4 || keyRow < 0 || keyRow >= extent.Height)
            return;

        var offsets = QueryPackOffsets.Locate(in query, tile.Image, in queries, pack);
        offsets.Advance(lane * 4 * query.ChannelStride);
        long first = key.Offset(tile.Image, lane * 4, keyRow, 0);
        long key0 = first + AxisTaps.Clamp(column - radius, extent.Width) * key.ColumnStride;
        long key1 = first + AxisTaps.Clamp(column - radius + 1, extent.Width) * key.ColumnStride;
        long key2 = first + AxisTaps.Clamp(column - radius + 2, extent.Width) * key.ColumnStride;
        long key3 = first + AxisTaps.Clamp(column - radius + 3, extent.Width) * key.ColumnStride;
        long key4 = first + AxisTaps.Clamp(column - radius + 4, extent.Width) * key.ColumnStride;
        long key5 = first + AxisTaps.Clamp(column - radius + 5, extent.Width) * key.ColumnStride;
        long key6 = first + AxisTaps.Clamp(column - radius + 6, extent.Width) * key.ColumnStride;
        var sum0 = default(Pack4<TReal>);
        var sum1 = default(Pack4<TReal>);
        var sum2 = default(Pack4<TReal>);
        var sum3 = default(Pack4<TReal>);
        var sum4 = default(Pack4<TReal>);
        var sum5 = default(Pack4<TReal>);
        var sum6 = default(Pack4<TReal>);
        for (int remaining = channels - lane * 4; remaining > 0; remaining -= ChannelsPerRound)
        {
            var packValues = QueryPack.Load<TAccess>(in query, in offsets, remaining);
            sum0 = packValues.Add<TAccess>(in key, key0, remaining, in sum0);
            sum1 = packValues.Add<TAccess>(in key, key1, remaining, in sum1);
            sum2 = packValues.Add<TAccess>(in key, key2, remaining, in sum2);
            if (window > 3)
            {
                sum3 = packValues.Add<TAccess>(in key, key3, remaining, in sum3);
                sum4 = packValues.Add<TAccess>(in key, key4, remaining, in sum4);
            }
            if (window > 5)
            {
                sum5 = packValues.Add<TAccess>(in key, key5, remaining, in sum5);
                sum6 = packValues.Add<TAccess>(in key, key6, remaining, in sum6);
            }
            long step = ChannelsPerRound * key.ChannelStride;
            offsets.Advance(ChannelsPerRound * query.ChannelStride);
            key0 += step;
            key1 += step;
            key2 += step;
            key3 += step;
            key4 += step;
            key5 += step;
            key6 += step;
        }

        int at = Group.IdxX / Lanes * window * LaneStride + lane;
        partials[at] = sum0;
        partials[at + LaneStride] = sum1;
        partials[at + 2 * LaneStride] = sum2;
        if (window > 3)
        {
            partials[at + 3 * LaneStride] = sum3;
            partials[at + 4 * LaneStride] = sum4;
        }
        if (window > 5)
        {
            partials[at + 5 * LaneStride] = sum5;
            partials[at + 6 * LaneStride] = sum6;
        }
    }

    // A thread takes one tap of one cell.
    private static void AddUp(
        in WindowExtent extent,
        in CellTile tile,
        int pack,
        TReal outside,
        int firstCell,
        int windowRow,
        ArrayView<Pack4<TReal>> partials,
        ArrayView<Pack4<TReal>> scores)
    {
        int window = TWindow.Size(extent.Window);
        int radius = window / 2;
        if (Group.IdxX >= CellsPerRound * window)
            return;
        int cell = firstCell + Group.IdxX / window;
        int tap = Group.IdxX % window;
        int row = tile.CellRow(cell);
        int column = tile.CellColumn(cell);
        if (cell >= tile.Cells || !tile.Holds(row, column, extent.Width))
            return;
        var queries = CellQueries.Locate<TScale>(in extent, row, column);
        if (queries.Count <= pack * 4)
            return;

        int keyRow = Tap(row + windowRow - radius, extent.Height);
        int keyColumn = Tap(column + tap - radius, extent.Width);
        var score = new Pack4<TReal> { X = outside, Y = outside, Z = outside, W = outside };
        if (keyRow >= 0 && keyRow < extent.Height && keyColumn >= 0 && keyColumn < extent.Width)
        {
            int at = Group.IdxX * LaneStride;
            score = partials[at];
            for (int lane = 1; lane < Lanes; lane++)
                score = Pack4.MultiplyAdd(TReal.One, partials[at + lane], in score);
        }
        scores[(windowRow * window + tap) * tile.Cells + cell] = score;
    }

    private static int Tap(int position, int size) =>
        TBorder.Replicates ? AxisTaps.Clamp(position, size) : position;

    /// <summary>Four channels of the four queries of a query pack.</summary>
    private struct QueryPack
    {
        private Pack4<TReal> x;
        private Pack4<TReal> y;
        private Pack4<TReal> z;
        private Pack4<TReal> w;

        public static QueryPack Load<TAccess>(in MapView<TStorage> query, in QueryPackOffsets offsets, int remaining)
            where TAccess : struct, IChannelAccess => new()
            {
                x = TAccess.Load<TElement, TStorage, TReal>(in query, offsets.X, remaining),
                y = TAccess.Load<TElement, TStorage, TReal>(in query, offsets.Y, remaining),
                z = TAccess.Load<TElement, TStorage, TReal>(in query, offsets.Z, remaining),
                w = TAccess.Load<TElement, TStorage, TReal>(in query, offsets.W, remaining),
            };

        /// <summary>The sums with the products of four channels of a key.</summary>
        public readonly Pack4<TReal> Add<TAccess>(
            in MapView<TStorage> key, long offset, int remaining, in Pack4<TReal> sum)
            where TAccess : struct, IChannelAccess
        {
            var k = TAccess.Load<TElement, TStorage, TReal>(in key, offset, remaining);
            return new Pack4<TReal>
            {
                X = sum.X + Pack4.Dot(in x, in k),
                Y = sum.Y + Pack4.Dot(in y, in k),
                Z = sum.Z + Pack4.Dot(in z, in k),
                W = sum.W + Pack4.Dot(in w, in k),
            };
        }
    }
}
