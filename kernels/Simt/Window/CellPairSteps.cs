using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The steps that programs on cell pairs are made of, each run by a whole thread group on its tile and one query pack
/// of each cell. An array in shared memory has a pack of the four queries for every pair, tap and cell of the pair, in
/// this order.
/// </summary>
/// <remarks>
/// Barriers stand at the head of loops, never at their end: ILGPU's optimiser moves a read whose value only the next
/// round needs behind a barrier that follows it.
/// </remarks>
/// <typeparam name="TElement">The element type.</typeparam>
/// <typeparam name="TStorage">Its type in memory.</typeparam>
/// <typeparam name="TReal">Its type in calculations.</typeparam>
/// <typeparam name="TWindow">The window, fixed.</typeparam>
/// <typeparam name="TBorder">The border rule.</typeparam>
/// <typeparam name="TShape">The access that the shape of the tile is made for.</typeparam>
/// <typeparam name="TProducts">How the group multiplies.</typeparam>
internal static class CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TShape, TProducts>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWindow : struct, IWindow
    where TBorder : struct, IBorder
    where TShape : struct, IChannelAccess
    where TProducts : struct, ICellPairProducts
{
    /// <inheritdoc cref="ICellPairProducts.Dots"/>
    public static void Dots<TAccess>(
        in TileMap<TStorage> query,
        in TileMap<TStorage> key,
        int channels,
        ArrayView<Pack4<TReal>> stage,
        ArrayView<Pack4<TReal>> scores)
        where TAccess : struct, IChannelAccess =>
        TProducts.Dots<TElement, TStorage, TReal, TWindow, TShape, TAccess>(
            in query, in key, channels, stage, scores);

    /// <inheritdoc cref="ICellPairProducts.Sums"/>
    public static void Sums<TScale, TAccess>(
        in TileMap<TStorage> source,
        in TileMap<TStorage> output,
        int channels,
        int byRows,
        ArrayView<Pack4<TReal>> stage,
        ArrayView<Pack4<TReal>> weights)
        where TScale : struct, IScale
        where TAccess : struct, IChannelAccess =>
        TProducts.Sums<TElement, TStorage, TReal, TWindow, TShape, TScale, TAccess>(
            in source, in output, channels, byRows, stage, weights);

    /// <summary>
    /// Turns scores into weights, in place; a thread takes a query. What the backward needs is saved: the logarithm of
    /// the sum of the unshifted unnormalised weights where scores are shifted, else the sum.
    /// </summary>
    public static void Normalise<TScale, TNormalisation>(
        in WindowExtent extent,
        in CellPairTile tile,
        int pack,
        ArrayView<TReal> scores,
        in MapView<TReal> normaliser,
        int saveNormaliser)
        where TScale : struct, IScale
        where TNormalisation : struct, IScoreNormalisation
    {
        int item = Group.IdxX;
        if (item >= CellPair.Queries)
            return;
        bool atEdge = tile.IsAtEdge<TWindow, TShape>(in extent);
        if (atEdge)
            SetOutside(in extent, in tile, item, scores, TBorder.OutsideScore<TReal>());
        var row = RowOf(item, scores, scores);
        int taps = TWindow.Size(0) * TWindow.Size(0);
        var shift = ScoreWeights<TElement, TStorage, TReal, TNormalisation>.Shift(in row, taps);
        var sum = ScoreWeights<TElement, TStorage, TReal, TNormalisation>.Forward(in row, taps, shift);
        if (atEdge)
            Fold(in extent, in tile, item, scores);
        if (saveNormaliser != 0)
        {
            long offset = tile.QueryOffset<TScale, TShape, TReal>(in extent, pack, item, in normaliser);
            if (offset >= 0)
            {
                normaliser.Data[offset] =
                    ScoreWeights<TElement, TStorage, TReal, TNormalisation>.Normaliser(shift, sum);
            }
        }
    }

    /// <summary>
    /// Turns scores into weights once more and the gradients of the weights into those of the scores, both in place; a
    /// thread takes a query.
    /// </summary>
    public static void NormaliseBackward<TScale, TNormalisation>(
        in WindowExtent extent,
        in CellPairTile tile,
        int pack,
        ArrayView<TReal> scores,
        ArrayView<TReal> gradients,
        in MapView<TReal> normaliser)
        where TScale : struct, IScale
        where TNormalisation : struct, IScoreNormalisation
    {
        int item = Group.IdxX;
        if (item >= CellPair.Queries)
            return;
        bool atEdge = tile.IsAtEdge<TWindow, TShape>(in extent);
        if (atEdge)
        {
            SetOutside(in extent, in tile, item, scores, TBorder.OutsideScore<TReal>());
            SetOutside(in extent, in tile, item, gradients, TReal.Zero);
        }
        var shift = TReal.Zero;
        if (TNormalisation.SubtractsMaximum)
        {
            long offset = tile.QueryOffset<TScale, TShape, TReal>(in extent, pack, item, in normaliser);
            if (offset >= 0)
                shift = normaliser.Data[offset];
        }
        var row = RowOf(item, scores, gradients);
        int taps = TWindow.Size(0) * TWindow.Size(0);
        if (!TNormalisation.SubtractsMaximum)
            shift = ScoreWeights<TElement, TStorage, TReal, TNormalisation>.Shift(in row, taps);
        ScoreWeights<TElement, TStorage, TReal, TNormalisation>.Backward(in row, taps, shift);
        if (atEdge)
        {
            Fold(in extent, in tile, item, scores);
            Fold(in extent, in tile, item, gradients);
        }
    }

    /// <summary>Gives taps outside the map the value that they have as scores; a thread takes a query.</summary>
    public static void SetOutside(in WindowExtent extent, in CellPairTile tile, ArrayView<TReal> array, TReal value)
    {
        int item = Group.IdxX;
        if (item < CellPair.Queries && tile.IsAtEdge<TWindow, TShape>(in extent))
            SetOutside(in extent, in tile, item, array, value);
    }

    /// <summary>
    /// Adds the weights of taps outside the map to those of the cells that they stand for; a thread takes a query.
    /// </summary>
    public static void Fold(in WindowExtent extent, in CellPairTile tile, ArrayView<TReal> array)
    {
        int item = Group.IdxX;
        if (item < CellPair.Queries && tile.IsAtEdge<TWindow, TShape>(in extent))
            Fold(in extent, in tile, item, array);
    }

    /// <summary>Writes an array to a map [B, K², s·H, s·W]; a thread takes a query and every few taps.</summary>
    public static void Save<TScale, TMapElement, TMapStorage>(
        in WindowExtent extent,
        in CellPairTile tile,
        int pack,
        ArrayView<TReal> array,
        in MapView<TMapStorage> map)
        where TScale : struct, IScale
        where TMapElement : struct, IElement<TMapStorage, TReal>
        where TMapStorage : unmanaged
    {
        int item = Group.IdxX & (CellPair.Queries - 1);
        int tapsAtOnce = TProducts.GroupSize<TWindow>() / CellPair.Queries;
        int first = Group.IdxX / CellPair.Queries;
        if (first >= tapsAtOnce)
            return;
        long offset = tile.QueryOffset<TScale, TShape, TMapStorage>(in extent, pack, item, in map);
        if (offset < 0)
            return;
        int at = First(item) + 8 * first;
        offset += first * map.ChannelStride;
        for (int tap = first; tap < TWindow.Size(0) * TWindow.Size(0); tap += tapsAtOnce)
        {
            map.Data[offset] = TMapElement.Store(array[at]);
            at += 8 * tapsAtOnce;
            offset += tapsAtOnce * map.ChannelStride;
        }
    }

    /// <summary>Reads an array from a map [B, K², s·H, s·W]; weights of queries that are not there are 0.</summary>
    public static void Restore<TScale>(
        in WindowExtent extent,
        in CellPairTile tile,
        int pack,
        in MapView<TStorage> map,
        ArrayView<TReal> array)
        where TScale : struct, IScale
    {
        int item = Group.IdxX & (CellPair.Queries - 1);
        int tapsAtOnce = TProducts.GroupSize<TWindow>() / CellPair.Queries;
        int first = Group.IdxX / CellPair.Queries;
        if (first >= tapsAtOnce)
            return;
        long offset = tile.QueryOffset<TScale, TShape, TStorage>(in extent, pack, item, in map);
        bool inside = offset >= 0;
        int at = First(item) + 8 * first;
        offset += first * map.ChannelStride;
        for (int tap = first; tap < TWindow.Size(0) * TWindow.Size(0); tap += tapsAtOnce)
        {
            var value = TReal.Zero;
            if (inside)
                value = TElement.Load(map.Data[offset]);
            array[at] = value;
            at += 8 * tapsAtOnce;
            offset += tapsAtOnce * map.ChannelStride;
        }
    }

    private static TileScores<TReal> RowOf(int item, ArrayView<TReal> scores, ArrayView<TReal> gradients) =>
        new(scores, gradients, First(item), 8);

    // The scalar of a query's first tap; an item is a query of a cell of a pair.
    private static int First(int item) => item / 8 * 4 * CellPair.ArrayPitch<TWindow>() + (item & 7);

    private static void SetOutside(
        in WindowExtent extent, in CellPairTile tile, int item, ArrayView<TReal> array, TReal value)
    {
        if (TBorder.Replicates)
            return;
        int radius = TWindow.Size(0) / 2;
        int row = tile.CellRow<TShape>(item / 4) - radius;
        int column = tile.CellColumn<TShape>(item / 4) - radius;
        int at = First(item);
        for (int y = 0; y < TWindow.Size(0); y++)
        {
            for (int x = 0; x < TWindow.Size(0); x++)
            {
                if (row + y < 0 | row + y >= extent.Height | column + x < 0 | column + x >= extent.Width)
                    array[at] = value;
                at += 8;
            }
        }
    }

    // What is added elsewhere counts no more.
    private static void Fold(in WindowExtent extent, in CellPairTile tile, int item, ArrayView<TReal> array)
    {
        if (!TBorder.Replicates)
            return;
        int radius = TWindow.Size(0) / 2;
        int row = tile.CellRow<TShape>(item / 4) - radius;
        int column = tile.CellColumn<TShape>(item / 4) - radius;
        int first = First(item);
        int at = first;
        for (int y = 0; y < TWindow.Size(0); y++)
        {
            int ownY = AxisTaps.Clamp(row + y, extent.Height) - row;
            for (int x = 0; x < TWindow.Size(0); x++)
            {
                int ownX = AxisTaps.Clamp(column + x, extent.Width) - column;
                if (ownX != x | ownY != y)
                {
                    array[first + 8 * (ownY * TWindow.Size(0) + ownX)] += array[at];
                    array[at] = TReal.Zero;
                }
                at += 8;
            }
        }
    }
}
