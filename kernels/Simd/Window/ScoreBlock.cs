using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Scores, weights or gradients of one head of some neighbouring queries of a row, staged as a
/// <see cref="QueryBlock{TSimd, TStorage, TReal, TVector}"/>, [tap][query].
/// </summary>
internal static unsafe class ScoreBlock<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    /// <summary>Gets the queries of a block, and the elements from one tap to the next.</summary>
    public static int Width => 4 * TSimd.Lanes;

    /// <summary>Replaces the values of the taps that are left out, those outside the decoder map.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Mask(
        in WindowWeightsParameters<TStorage, TStorage> parameters, int row, int column, TReal* block, int queries, TReal value)
    {
        int radius = parameters.Extent.Radius;
        int window = parameters.Extent.Window;
        int cellRow = parameters.Extent.Rows.CellOf(row);
        if (IsInside(in parameters, cellRow, column, queries))
            return;
        for (int query = 0; query < queries; query++)
        {
            int cellColumn = parameters.Extent.Columns.CellOf(column + query);
            for (int tap = 0; tap < parameters.Taps; tap++)
            {
                int tapRow = cellRow + tap / window - radius;
                int tapColumn = cellColumn + tap % window - radius;
                bool inside = tapRow >= 0 && tapRow < parameters.Extent.Height
                    && tapColumn >= 0 && tapColumn < parameters.Extent.Width;
                if (!inside)
                    block[(nint)tap * Width + query] = value;
            }
        }
    }

    // The cells of neighbouring queries follow one another, so the outermost two tell of all.
    private static bool IsInside(
        in WindowWeightsParameters<TStorage, TStorage> parameters, int cellRow, int column, int queries)
    {
        int radius = parameters.Extent.Radius;
        return cellRow >= radius
            && cellRow + radius < parameters.Extent.Height
            && parameters.Extent.Columns.CellOf(column) >= radius
            && parameters.Extent.Columns.CellOf(column + queries - 1) + radius < parameters.Extent.Width;
    }
}
