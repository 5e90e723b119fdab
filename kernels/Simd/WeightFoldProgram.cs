using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Adds the weights of taps outside the map to those of the cells that they stand for, on the CPU. A tile is some rows of
/// queries; only the cells at the border have anything to add, the others' weights are widened as they are.
/// </summary>
public readonly unsafe struct WeightFoldProgram<TSimd, TStorage, T, TVector>
    : ITileProgram<WindowWeightsParameters<TStorage, T>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int ValuesPerTile = 1 << 13;

    /// <inheritdoc/>
    public static long TileCount(in WindowWeightsParameters<TStorage, T> parameters) =>
        Tiling(in parameters).Count(parameters.Extent.Batch);

    /// <inheritdoc/>
    public static double Operations(in WindowWeightsParameters<TStorage, T> parameters) =>
        4.0 * parameters.Extent.Batch * parameters.Taps
            * parameters.Extent.Rows.Queries * parameters.Extent.Columns.Queries;

    /// <inheritdoc/>
    public static long ScratchBytes(in WindowWeightsParameters<TStorage, T> parameters) => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in WindowWeightsParameters<TStorage, T> parameters, long tile, byte* scratch)
    {
        var rows = Tiling(in parameters)[tile];
        var source = new MapPointer<TStorage>(in parameters.Source);
        var result = new MapPointer<T>(in parameters.Result);
        int radius = parameters.Extent.Radius;
        for (int row = rows.First; row < rows.End; row++)
        {
            int cellRow = parameters.Extent.Rows.CellOf(row);
            bool rowInside = cellRow >= radius && cellRow + radius < parameters.Extent.Height;
            for (int column = 0; column < parameters.Extent.Columns.Queries; column++)
            {
                int cellColumn = parameters.Extent.Columns.CellOf(column);
                TStorage* from = source.At(rows.Image, 0, row, column);
                T* to = result.At(rows.Image, 0, row, column);
                if (rowInside && cellColumn >= radius && cellColumn + radius < parameters.Extent.Width)
                    Widen(from, source.ChannelStride, to, result.ChannelStride, parameters.Taps);
                else
                    Fold(in parameters.Extent, from, source.ChannelStride, to, result.ChannelStride, cellRow, cellColumn);
            }
        }
    }

    private static RowTiling Tiling(in WindowWeightsParameters<TStorage, T> parameters) => new(
        parameters.Extent.Rows.Queries, (long)parameters.Extent.Columns.Queries * parameters.Taps, ValuesPerTile);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(TStorage* source, nint sourceStride, T* result, nint resultStride, int taps)
    {
        for (int tap = 0; tap < taps; tap++)
            result[tap * resultStride] = TSimd.Widen(source[tap * sourceStride]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fold(
        in WindowExtent extent,
        TStorage* source,
        nint sourceStride,
        T* result,
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
            T sum = T.Zero;
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
