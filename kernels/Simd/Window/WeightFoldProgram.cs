using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Adds the weights of taps outside the map to those of the cells that they stand for, on the CPU. A tile is some rows
/// of queries; only the cells at the border have anything to add, the others' weights are widened as they are.
/// </summary>
internal readonly unsafe struct WeightFoldProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<WindowWeightsParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int ValuesPerTile = 1 << 13;

    public static long TileCount(in WindowWeightsParameters<TStorage, TReal> parameters) =>
        Tiling(in parameters).Count(parameters.Extent.Batch);

    public static double Operations(in WindowWeightsParameters<TStorage, TReal> parameters) =>
        4.0 * parameters.Extent.Batch * parameters.Taps
            * parameters.Extent.Rows.Queries * parameters.Extent.Columns.Queries;

    public static long ScratchBytes(in WindowWeightsParameters<TStorage, TReal> parameters) => 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in WindowWeightsParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        var rows = Tiling(in parameters)[tile];
        var source = new MapPointer<TStorage>(in parameters.Source);
        var result = new MapPointer<TReal>(in parameters.Result);
        int queries = parameters.Extent.Columns.Queries;
        for (int row = rows.First; row < rows.End; row++)
        {
            (int first, int end) = Inside(in parameters.Extent, parameters.Extent.Rows.CellOf(row));
            Widen(in source, in result, rows.Image, row, first, end - first, parameters.Taps);
            Fold(in parameters.Extent, in source, in result, rows.Image, row, 0, first);
            Fold(in parameters.Extent, in source, in result, rows.Image, row, end, queries);
        }
    }

    private static RowTiling Tiling(in WindowWeightsParameters<TStorage, TReal> parameters) => new(
        parameters.Extent.Rows.Queries, (long)parameters.Extent.Columns.Queries * parameters.Taps, ValuesPerTile);

    // The columns of queries, of a row of cells, whose windows lie inside the map and not at its border.
    private static (int First, int End) Inside(in WindowExtent extent, int cellRow)
    {
        int end = extent.Columns.Queries;
        if (cellRow < extent.Radius || cellRow + extent.Radius >= extent.Height)
            return (0, 0);
        int first = 0;
        while (first < end && extent.Columns.CellOf(first) < extent.Radius)
            first++;
        while (end > first && extent.Columns.CellOf(end - 1) + extent.Radius >= extent.Width)
            end--;
        return (first, end);
    }

    // The result is a workspace, whose columns lie side by side.
    private static void Widen(
        in MapPointer<TStorage> source, in MapPointer<TReal> result, int image, int row, int column, int count, int taps)
    {
        TStorage* from = source.At(image, 0, row, column);
        TReal* to = result.At(image, 0, row, column);
        if (source.ChannelStride == 1)
        {
            TSimd.Transpose(from, source.ColumnStride, to, result.ChannelStride, count, taps);
            return;
        }
        for (int tap = 0; tap < taps; tap++)
            TSimd.Gather(
                from + tap * source.ChannelStride, source.ColumnStride, to + tap * result.ChannelStride, count);
    }

    private static void Fold(
        in WindowExtent extent,
        in MapPointer<TStorage> source,
        in MapPointer<TReal> result,
        int image,
        int row,
        int column,
        int end)
    {
        int cellRow = extent.Rows.CellOf(row);
        for (; column < end; column++)
        {
            Fold(
                in extent,
                source.At(image, 0, row, column),
                source.ChannelStride,
                result.At(image, 0, row, column),
                result.ChannelStride,
                cellRow,
                extent.Columns.CellOf(column));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fold(
        in WindowExtent extent,
        TStorage* source,
        nint sourceStride,
        TReal* result,
        nint resultStride,
        int cellRow,
        int cellColumn)
    {
        int window = extent.Window;
        for (int tap = 0; tap < extent.Taps; tap++)
        {
            (int tapRow, int tapColumn) = Math.DivRem(tap, window);
            int row = cellRow + tapRow - extent.Radius;
            int column = cellColumn + tapColumn - extent.Radius;
            TReal sum = TReal.Zero;
            if (row >= 0 && row < extent.Height && column >= 0 && column < extent.Width)
            {
                int lastRow = row == extent.Height - 1 ? window - 1 : tapRow;
                int lastColumn = column == extent.Width - 1 ? window - 1 : tapColumn;
                for (int i = row == 0 ? 0 : tapRow; i <= lastRow; i++)
                {
                    for (int j = column == 0 ? 0 : tapColumn; j <= lastColumn; j++)
                        sum += TSimd.Widen(source[(i * window + j) * sourceStride]);
                }
            }
            result[tap * resultStride] = sum;
        }
    }
}
