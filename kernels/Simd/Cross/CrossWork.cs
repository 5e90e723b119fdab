using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>How much work a problem is.</summary>
internal static class CrossWork
{
    /// <summary>The tiles of queries of a map.</summary>
    public static long TilesOfMap<TStorage, TReal>(in CrossAttentionParameters<TStorage, TReal> parameters)
        where TStorage : unmanaged
        where TReal : unmanaged => (parameters.RowTiles.Length - 1) * (parameters.ColumnTiles.Length - 1);

    /// <summary>At most so many pairs of a query and a cell, with a set of weights each.</summary>
    public static double Pairs<TStorage, TReal>(in CrossAttentionParameters<TStorage, TReal> parameters)
        where TStorage : unmanaged
        where TReal : unmanaged =>
        (double)parameters.Extent.Batch * parameters.Extent.WeightSets
            * parameters.Extent.OutputHeight * parameters.TileCellRows
            * parameters.Extent.OutputWidth * parameters.TileCellColumns;
}
