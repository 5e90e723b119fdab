using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>How much work a problem is.</summary>
internal static class CrossWork
{
    /// <summary>The tiles of queries of a map.</summary>
    public static long TilesOfMap<TStorage, TReal>(in CrossAttentionParameters<TStorage, TReal> parameters)
        where TStorage : unmanaged
        where TReal : unmanaged => (parameters.RowTiles.Length - 1) * (parameters.ColumnTiles.Length - 1);

    /// <summary>
    /// A tile of an image by its number. All sets of weights of the same queries follow one another, since their channels lie
    /// side by side where maps are channels-last.
    /// </summary>
    public static CrossTile TileOf<TStorage, TReal>(in CrossAttentionParameters<TStorage, TReal> parameters, long number)
        where TStorage : unmanaged
        where TReal : unmanaged
    {
        (long rest, long set) = Math.DivRem(number, parameters.Extent.WeightSets);
        (rest, long columnTile) = Math.DivRem(rest, parameters.ColumnTiles.Length - 1);
        (long image, long rowTile) = Math.DivRem(rest, parameters.RowTiles.Length - 1);
        return CrossTile.Of(in parameters, (int)image, (int)set, (int)rowTile, (int)columnTile);
    }

    /// <summary>The values of the output.</summary>
    public static long OutputValues(in CrossExtent extent) => Queries(in extent) * extent.WeightSets * extent.ValueChannels;

    /// <summary>The values of the query.</summary>
    public static long QueryValues(in CrossExtent extent) => Queries(in extent) * extent.Heads * extent.KeyChannels;

    /// <summary>At most so many pairs of a query and a cell, with a set of weights each.</summary>
    public static double Pairs<TStorage, TReal>(in CrossAttentionParameters<TStorage, TReal> parameters)
        where TStorage : unmanaged
        where TReal : unmanaged =>
        (double)parameters.Extent.Batch * parameters.Extent.WeightSets
            * parameters.Extent.OutputHeight * parameters.TileCellRows
            * parameters.Extent.OutputWidth * parameters.TileCellColumns;

    private static long Queries(in CrossExtent extent) => (long)extent.Batch * extent.OutputHeight * extent.OutputWidth;
}
