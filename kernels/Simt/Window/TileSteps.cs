using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The steps that the kernels of the window gather are made of. A step is run by a whole thread group on the cells of
/// its tile and one query pack of their queries; the array in shared memory has, for every tap and cell, one value for
/// each of the four queries (index tap·cells + cell). The caller places the barriers.
/// </summary>
internal static class TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWindow : struct, IWindow
    where TScale : struct, IScale
    where TBorder : struct, IBorder
{
    /// <summary>
    /// scores = ⟨query, key⟩ for every cell and tap. A thread takes one (cell, tap) and dots the four queries with the
    /// key, four channels at a time: five vector loads for sixteen multiply-adds.
    /// </summary>
    public static void Dots<TAccess>(
        in WindowExtent extent,
        in CellTile tile,
        int pack,
        in MapView<TStorage> query,
        in MapView<TStorage> key,
        int channels,
        TReal outside,
        ArrayView<Pack4<TReal>> scores)
        where TAccess : struct, IChannelAccess
    {
        int window = TWindow.Size(extent.Window);
        int radius = window / 2;
        int taps = window * window;
        int items = taps * tile.Cells;
        for (int item = Group.IdxX; item < items; item += Group.DimX)
        {
            int cell = TAccess.ChannelsFastest ? item / taps : item % tile.Cells;
            int tap = TAccess.ChannelsFastest ? item % taps : item / tile.Cells;
            int row = tile.CellRow(cell);
            int column = tile.CellColumn(cell);
            if (!tile.Holds(row, column, extent.Width))
                continue;
            var queries = CellQueries.Locate<TScale>(in extent, row, column);
            if (queries.Count <= pack * 4)
                continue;

            int keyRow = Tap(row + tap / window - radius, extent.Height);
            int keyColumn = Tap(column + tap % window - radius, extent.Width);
            var score = new Pack4<TReal> { X = outside, Y = outside, Z = outside, W = outside };
            if (keyRow >= 0 && keyRow < extent.Height && keyColumn >= 0 && keyColumn < extent.Width)
            {
                score = default;
                var offsets = QueryPackOffsets.Locate(in query, tile.Image, in queries, pack);
                long keyOffset = key.Offset(tile.Image, 0, keyRow, keyColumn);
                for (int remaining = channels; remaining > 0; remaining -= 4)
                {
                    var k = TAccess.Load<TElement, TStorage, TReal>(in key, keyOffset, remaining);
                    score.X += Pack4.Dot(
                        TAccess.Load<TElement, TStorage, TReal>(in query, offsets.X, remaining), k);
                    score.Y += Pack4.Dot(
                        TAccess.Load<TElement, TStorage, TReal>(in query, offsets.Y, remaining), k);
                    score.Z += Pack4.Dot(
                        TAccess.Load<TElement, TStorage, TReal>(in query, offsets.Z, remaining), k);
                    score.W += Pack4.Dot(
                        TAccess.Load<TElement, TStorage, TReal>(in query, offsets.W, remaining), k);
                    keyOffset += 4 * key.ChannelStride;
                    offsets.Advance(4 * query.ChannelStride);
                }
            }
            scores[tap * tile.Cells + cell] = score;
        }
    }

    /// <summary>
    /// output = Σ weights · value for every cell. A thread takes four channels of one cell, keeps the four outputs in
    /// registers and walks the taps inside the map: two vector loads for sixteen multiply-adds.
    /// </summary>
    public static void Sums<TAccess>(
        in WindowExtent extent,
        in CellTile tile,
        int pack,
        ArrayView<Pack4<TReal>> weights,
        in MapView<TStorage> value,
        int channels,
        in MapView<TStorage> output)
        where TAccess : struct, IChannelAccess
    {
        int window = TWindow.Size(extent.Window);
        int radius = window / 2;
        int packs = (channels + 3) / 4;
        int items = packs * tile.Cells;
        for (int item = Group.IdxX; item < items; item += Group.DimX)
        {
            int cell = TAccess.ChannelsFastest ? item / packs : item % tile.Cells;
            int channel = 4 * (TAccess.ChannelsFastest ? item % packs : item / tile.Cells);
            int row = tile.CellRow(cell);
            int column = tile.CellColumn(cell);
            if (!tile.Holds(row, column, extent.Width))
                continue;

            var queries = CellQueries.Locate<TScale>(in extent, row, column);
            int count = queries.Count - pack * 4;
            if (count <= 0)
                continue;

            int remaining = channels - channel;
            var x = default(Pack4<TReal>);
            var y = default(Pack4<TReal>);
            var z = default(Pack4<TReal>);
            var w = default(Pack4<TReal>);
            int firstRow = row < radius ? radius - row : 0;
            int endRow = extent.Height - row + radius < window ? extent.Height - row + radius : window;
            int firstColumn = column < radius ? radius - column : 0;
            int endColumn = extent.Width - column + radius < window ? extent.Width - column + radius : window;
            for (int windowRow = firstRow; windowRow < endRow; windowRow++)
            {
                long offset = value.Offset(
                    tile.Image, channel, row + windowRow - radius, column + firstColumn - radius);
                int at = (windowRow * window + firstColumn) * tile.Cells + cell;
                for (int left = endColumn - firstColumn; left > 0; left--)
                {
                    var v = TAccess.Load<TElement, TStorage, TReal>(in value, offset, remaining);
                    var weight = weights[at];
                    x = Pack4.MultiplyAdd(weight.X, v, x);
                    y = Pack4.MultiplyAdd(weight.Y, v, y);
                    z = Pack4.MultiplyAdd(weight.Z, v, z);
                    w = Pack4.MultiplyAdd(weight.W, v, w);
                    at += tile.Cells;
                    offset += value.ColumnStride;
                }
            }

            var offsets = QueryPackOffsets.Locate(in output, tile.Image, in queries, pack);
            long step = channel * output.ChannelStride;
            TAccess.Store<TElement, TStorage, TReal>(in output, offsets.X + step, remaining, x);
            if (count > 1)
                TAccess.Store<TElement, TStorage, TReal>(in output, offsets.Y + step, remaining, y);
            if (count > 2)
                TAccess.Store<TElement, TStorage, TReal>(in output, offsets.Z + step, remaining, z);
            if (count > 3)
                TAccess.Store<TElement, TStorage, TReal>(in output, offsets.W + step, remaining, w);
        }
    }

    /// <summary>
    /// Turns scores into weights, in place. A thread takes one query of one cell; neighbouring threads take
    /// neighbouring words of shared memory. What the backward needs is saved: the logarithm of the sum of the unshifted
    /// unnormalised weights where scores are shifted, else the sum.
    /// </summary>
    public static void Normalise<TNormalisation>(
        in WindowExtent extent,
        in CellTile tile,
        int pack,
        ArrayView<TReal> scores,
        in MapView<TReal> normaliser,
        int saveNormaliser)
        where TNormalisation : struct, IScoreNormalisation
    {
        int window = TWindow.Size(extent.Window);
        int taps = window * window;
        int stride = 4 * tile.Cells;
        for (int item = Group.IdxX; item < stride; item += Group.DimX)
        {
            int row = tile.CellRow(item / 4);
            int column = tile.CellColumn(item / 4);
            if (!tile.Holds(row, column, extent.Width))
                continue;
            var queries = CellQueries.Locate<TScale>(in extent, row, column);
            if (queries.Count <= pack * 4)
                continue;

            var scoreRow = new TileScores<TReal>(scores, scores, item, stride);
            var shift = ScoreWeights<TElement, TStorage, TReal, TNormalisation>.Shift(in scoreRow, taps);
            var sum = ScoreWeights<TElement, TStorage, TReal, TNormalisation>.Forward(in scoreRow, taps, shift);
            int query = pack * 4 + item % 4;
            if (saveNormaliser != 0 && query < queries.Count)
            {
                normaliser.Data[queries.Offset(in normaliser, tile.Image, query)] =
                    ScoreWeights<TElement, TStorage, TReal, TNormalisation>.Normaliser(shift, sum);
            }
        }
    }

    /// <summary>
    /// Turns scores into weights once more and the gradients of the weights into those of the scores, both in place. A
    /// thread takes one query of one cell.
    /// </summary>
    public static void NormaliseBackward<TNormalisation>(
        in WindowExtent extent,
        in CellTile tile,
        int pack,
        ArrayView<TReal> scores,
        ArrayView<TReal> gradients,
        in MapView<TReal> normaliser)
        where TNormalisation : struct, IScoreNormalisation
    {
        int window = TWindow.Size(extent.Window);
        int taps = window * window;
        int stride = 4 * tile.Cells;
        for (int item = Group.IdxX; item < stride; item += Group.DimX)
        {
            int row = tile.CellRow(item / 4);
            int column = tile.CellColumn(item / 4);
            if (!tile.Holds(row, column, extent.Width))
                continue;
            var queries = CellQueries.Locate<TScale>(in extent, row, column);
            if (queries.Count <= pack * 4)
                continue;

            var scoreRow = new TileScores<TReal>(scores, gradients, item, stride);
            var shift = TNormalisation.SubtractsMaximum
                ? normaliser.Data[queries.Offset(in normaliser, tile.Image, pack * 4 + item % 4)]
                : ScoreWeights<TElement, TStorage, TReal, TNormalisation>.Shift(in scoreRow, taps);
            ScoreWeights<TElement, TStorage, TReal, TNormalisation>.Backward(in scoreRow, taps, shift);
        }
    }

    /// <summary>
    /// Adds the weights of taps outside the map to those of the cells that they stand for; a thread takes one cell.
    /// </summary>
    public static void Fold(in WindowExtent extent, in CellTile tile, int pack, ArrayView<Pack4<TReal>> weights)
    {
        int window = TWindow.Size(extent.Window);
        int radius = window / 2;
        for (int cell = Group.IdxX; cell < tile.Cells; cell += Group.DimX)
        {
            int row = tile.CellRow(cell);
            int column = tile.CellColumn(cell);
            if (!tile.Holds(row, column, extent.Width))
                continue;
            if (CellQueries.Locate<TScale>(in extent, row, column).Count <= pack * 4)
                continue;
            for (int tap = 0; tap < window * window; tap++)
            {
                int tapRow = row + tap / window - radius;
                int tapColumn = column + tap % window - radius;
                int ownRow = AxisTaps.Clamp(tapRow, extent.Height);
                int ownColumn = AxisTaps.Clamp(tapColumn, extent.Width);
                if (ownRow == tapRow && ownColumn == tapColumn)
                    continue;
                int own = (ownRow - row + radius) * window + ownColumn - column + radius;
                weights[own * tile.Cells + cell] = Pack4.MultiplyAdd(
                    TReal.One, weights[tap * tile.Cells + cell], weights[own * tile.Cells + cell]);
            }
        }
    }

    /// <summary>Writes the array to a map [B, K², s·H, s·W]; a thread takes one value.</summary>
    public static void Save<TMapElement, TMapStorage>(
        in WindowExtent extent,
        in CellTile tile,
        int pack,
        ArrayView<TReal> array,
        in MapView<TMapStorage> map)
        where TMapElement : struct, IElement<TMapStorage, TReal>
        where TMapStorage : unmanaged
    {
        int window = TWindow.Size(extent.Window);
        int stride = 4 * tile.Cells;
        int items = window * window * stride;
        for (int item = Group.IdxX; item < items; item += Group.DimX)
        {
            int tap = item / stride;
            int cell = (item - tap * stride) / 4;
            int query = pack * 4 + item % 4;
            int row = tile.CellRow(cell);
            int column = tile.CellColumn(cell);
            if (!tile.Holds(row, column, extent.Width))
                continue;
            var queries = CellQueries.Locate<TScale>(in extent, row, column);
            if (query >= queries.Count)
                continue;
            long offset = queries.Offset(in map, tile.Image, query);
            map.Data[offset + tap * map.ChannelStride] = TMapElement.Store(array[item]);
        }
    }

    /// <summary>Reads the array from a map [B, K², s·H, s·W]; a thread takes one value.</summary>
    public static void Restore(
        in WindowExtent extent,
        in CellTile tile,
        int pack,
        in MapView<TStorage> map,
        ArrayView<TReal> array)
    {
        int window = TWindow.Size(extent.Window);
        int stride = 4 * tile.Cells;
        int items = window * window * stride;
        for (int item = Group.IdxX; item < items; item += Group.DimX)
        {
            int tap = item / stride;
            int cell = (item - tap * stride) / 4;
            int row = tile.CellRow(cell);
            int column = tile.CellColumn(cell);
            if (!tile.Holds(row, column, extent.Width))
                continue;
            var queries = CellQueries.Locate<TScale>(in extent, row, column);
            if (queries.Count <= pack * 4)
                continue;
            long offset = queries.Offset(in map, tile.Image, pack * 4 + item % 4);
            array[item] = TElement.Load(map.Data[offset + tap * map.ChannelStride]);
        }
    }

    private static int Tap(int position, int size) =>
        TBorder.Replicates ? AxisTaps.Clamp(position, size) : position;
}
