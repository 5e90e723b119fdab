using System.Numerics;
using ILGPU;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The steps that the kernels of the window gather are made of. A step is run by a whole thread group on the cells of
/// its tile and one quad of their queries; the array in shared memory has, for every tap and cell, one value for each
/// of the four queries (index tap·cells + cell). The caller places the barriers.
/// </summary>
public static class TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    where TWindow : struct, IWindow
    where TScale : struct, IScale
{
    /// <summary>
    /// scores = ⟨query, key⟩ for every cell and tap. A thread takes one (cell, tap) and dots the four queries with the
    /// key, four channels at a time: five vector loads for sixteen multiply-adds.
    /// </summary>
    public static void Dots<TAccess>(
        in WindowExtent extent,
        in CellTile tile,
        int quad,
        in MapView<TStorage> query,
        in MapView<TStorage> key,
        int channels,
        TAccumulator outside,
        ArrayView<Pack4<TAccumulator>> scores)
        where TAccess : struct, IChannelAccess
    {
        int window = TWindow.Size(extent.Window);
        int scale = TScale.Ratio(extent.Scale);
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

            int keyRow = row + tap / window - radius;
            int keyColumn = column + tap % window - radius;
            var score = new Pack4<TAccumulator> { X = outside, Y = outside, Z = outside, W = outside };
            if (keyRow >= 0 && keyRow < extent.Height && keyColumn >= 0 && keyColumn < extent.Width)
            {
                score = default;
                var offsets = QuadOffsets.Locate(in query, tile.Image, row, column, quad, scale);
                long keyOffset = key.Offset(tile.Image, 0, keyRow, keyColumn);
                for (int remaining = channels; remaining > 0; remaining -= 4)
                {
                    var k = TAccess.Load<TElement, TStorage, TAccumulator>(in key, keyOffset, remaining);
                    score.X += Pack4.Dot(
                        TAccess.Load<TElement, TStorage, TAccumulator>(in query, offsets.X, remaining), k);
                    score.Y += Pack4.Dot(
                        TAccess.Load<TElement, TStorage, TAccumulator>(in query, offsets.Y, remaining), k);
                    score.Z += Pack4.Dot(
                        TAccess.Load<TElement, TStorage, TAccumulator>(in query, offsets.Z, remaining), k);
                    score.W += Pack4.Dot(
                        TAccess.Load<TElement, TStorage, TAccumulator>(in query, offsets.W, remaining), k);
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
        int quad,
        ArrayView<Pack4<TAccumulator>> weights,
        in MapView<TStorage> value,
        int channels,
        in MapView<TStorage> output)
        where TAccess : struct, IChannelAccess
    {
        int window = TWindow.Size(extent.Window);
        int scale = TScale.Ratio(extent.Scale);
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

            int remaining = channels - channel;
            var x = default(Pack4<TAccumulator>);
            var y = default(Pack4<TAccumulator>);
            var z = default(Pack4<TAccumulator>);
            var w = default(Pack4<TAccumulator>);
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
                    var v = TAccess.Load<TElement, TStorage, TAccumulator>(in value, offset, remaining);
                    var weight = weights[at];
                    x = Pack4.MultiplyAdd(weight.X, v, x);
                    y = Pack4.MultiplyAdd(weight.Y, v, y);
                    z = Pack4.MultiplyAdd(weight.Z, v, z);
                    w = Pack4.MultiplyAdd(weight.W, v, w);
                    at += tile.Cells;
                    offset += value.ColumnStride;
                }
            }

            var offsets = QuadOffsets.Locate(in output, tile.Image, row, column, quad, scale);
            long step = channel * output.ChannelStride;
            int queries = scale * scale - quad * 4;
            TAccess.Store<TElement, TStorage, TAccumulator>(in output, offsets.X + step, remaining, x);
            if (queries > 1)
                TAccess.Store<TElement, TStorage, TAccumulator>(in output, offsets.Y + step, remaining, y);
            if (queries > 2)
                TAccess.Store<TElement, TStorage, TAccumulator>(in output, offsets.Z + step, remaining, z);
            if (queries > 3)
                TAccess.Store<TElement, TStorage, TAccumulator>(in output, offsets.W + step, remaining, w);
        }
    }

    /// <summary>
    /// Softmax over the taps, in place. A thread takes one query of one cell; neighbouring threads take neighbouring
    /// words of shared memory.
    /// </summary>
    public static void Softmax(
        in WindowExtent extent,
        in CellTile tile,
        int quad,
        ArrayView<TAccumulator> scores,
        in MapView<TAccumulator> logSumExp,
        int saveLogSumExp)
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

            var maximum = scores[item];
            for (int tap = 1; tap < taps; tap++)
            {
                var score = scores[tap * stride + item];
                maximum = score > maximum ? score : maximum;
            }
            var sum = TAccumulator.Zero;
            for (int tap = 0; tap < taps; tap++)
            {
                var power = TElement.Exp(scores[tap * stride + item] - maximum);
                scores[tap * stride + item] = power;
                sum += power;
            }
            var factor = TAccumulator.One / sum;
            for (int tap = 0; tap < taps; tap++)
                scores[tap * stride + item] *= factor;

            int query = quad * 4 + item % 4;
            int scale = TScale.Ratio(extent.Scale);
            if (saveLogSumExp != 0 && query < scale * scale)
            {
                logSumExp.Data[QuadOffsets.Query(in logSumExp, tile.Image, row, column, query, scale)] =
                    maximum + TElement.Log(sum);
            }
        }
    }

    /// <summary>
    /// Turns scores into softmax weights P with the saved log-sum-exp, and the gradients dP of the weights into those
    /// of the scores, dS = P·(dP − Σ P·dP), both in place. A thread takes one query of one cell. The weights are divided
    /// by their sum once more: next to scores of 10⁴ the rounding of the log-sum-exp alone is off by 10⁻³.
    /// </summary>
    public static void SoftmaxBackward(
        in WindowExtent extent,
        in CellTile tile,
        int quad,
        ArrayView<TAccumulator> scores,
        ArrayView<TAccumulator> gradients,
        in MapView<TAccumulator> logSumExp)
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

            int scale = TScale.Ratio(extent.Scale);
            var normaliser = logSumExp.Data[
                QuadOffsets.Query(in logSumExp, tile.Image, row, column, quad * 4 + item % 4, scale)];
            var sum = TAccumulator.Zero;
            var mean = TAccumulator.Zero;
            for (int tap = 0; tap < taps; tap++)
            {
                var weight = TElement.Exp(scores[tap * stride + item] - normaliser);
                scores[tap * stride + item] = weight;
                sum += weight;
                mean += weight * gradients[tap * stride + item];
            }
            var factor = TAccumulator.One / sum;
            mean *= factor;
            for (int tap = 0; tap < taps; tap++)
            {
                var weight = scores[tap * stride + item] * factor;
                scores[tap * stride + item] = weight;
                gradients[tap * stride + item] = weight * (gradients[tap * stride + item] - mean);
            }
        }
    }

    /// <summary>Writes the array to a map [B, K², s·H, s·W]; a thread takes one value.</summary>
    public static void Save<TMapElement, TMapStorage>(
        in WindowExtent extent,
        in CellTile tile,
        int quad,
        ArrayView<TAccumulator> array,
        in MapView<TMapStorage> map)
        where TMapElement : struct, IElement<TMapStorage, TAccumulator>
        where TMapStorage : unmanaged
    {
        int window = TWindow.Size(extent.Window);
        int scale = TScale.Ratio(extent.Scale);
        int stride = 4 * tile.Cells;
        int items = window * window * stride;
        for (int item = Group.IdxX; item < items; item += Group.DimX)
        {
            int tap = item / stride;
            int cell = (item - tap * stride) / 4;
            int query = quad * 4 + item % 4;
            int row = tile.CellRow(cell);
            int column = tile.CellColumn(cell);
            if (query >= scale * scale || !tile.Holds(row, column, extent.Width))
                continue;
            long offset = QuadOffsets.Query(in map, tile.Image, row, column, query, scale);
            map.Data[offset + tap * map.ChannelStride] = TMapElement.Store(array[item]);
        }
    }

    /// <summary>Reads the array from a map [B, K², s·H, s·W]; a thread takes one value.</summary>
    public static void Restore(
        in WindowExtent extent,
        in CellTile tile,
        int quad,
        in MapView<TStorage> map,
        ArrayView<TAccumulator> array)
    {
        int window = TWindow.Size(extent.Window);
        int scale = TScale.Ratio(extent.Scale);
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
            long offset = QuadOffsets.Query(in map, tile.Image, row, column, quad * 4 + item % 4, scale);
            array[item] = TElement.Load(map.Data[offset + tap * map.ChannelStride]);
        }
    }
}
