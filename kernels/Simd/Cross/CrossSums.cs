using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The gradients of the cells that a band of queries sees, summed by one thread in the order of the tiles: [row of the
/// band][column][key | value | bias].
/// </summary>
internal readonly unsafe struct CrossSums<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private readonly TReal* first;
    private readonly int firstRow;
    private readonly int width;
    private readonly nint stride;

    public CrossSums(in CrossAttentionParameters<TStorage, TReal> parameters, long unit, int firstRow)
    {
        this.firstRow = firstRow;
        width = parameters.Extent.Width;
        stride = Stride(in parameters.Extent);
        first = ViewPointer.Of(parameters.Sums) + unit * Length(in parameters);
    }

    /// <summary>The numbers of a cell.</summary>
    public static int Stride(in CrossExtent extent) => ValueOf(in extent) + extent.ValueChannels + 1;

    /// <summary>Where the channels of the value of a cell begin.</summary>
    public static int ValueOf(in CrossExtent extent) => extent.HeadsOfSet * extent.KeyChannels;

    /// <summary>Where the bias of a cell is.</summary>
    public static int BiasOf(in CrossExtent extent) => ValueOf(in extent) + extent.ValueChannels;

    /// <summary>The numbers of a band.</summary>
    public static long Length(in CrossAttentionParameters<TStorage, TReal> parameters) =>
        (long)parameters.BandCellRows * parameters.Extent.Width * Stride(in parameters.Extent);

    /// <summary>Sets all sums of the first rows to 0.</summary>
    public void Clear(int rows)
    {
        for (int row = 0; row < rows; row++)
            new Span<TReal>(first + row * width * stride, checked((int)(width * stride))).Clear();
    }

    /// <summary>The numbers of a cell, from one of them on.</summary>
    public TReal* At(int row, int column, int from) =>
        first + ((nint)(row - firstRow) * width + column) * stride + from;

    /// <summary>Adds the results of a block of cells, [cell][channel], but for those that a bias of −∞ takes away.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="block">The block.</param>
    /// <param name="bias">The biases of the cells of the block; null for none.</param>
    /// <param name="results">The results.</param>
    /// <param name="resultStride">From one cell to the next.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="from">The first of them among the numbers of a cell.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add<TSimd, TVector>(
        in CrossTile tile, in CrossBlock block, TReal* bias, TReal* results, int resultStride, int channels, int from)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TVector : struct
    {
        int lanes = TSimd.Lanes;
        int row = block.First / tile.CellColumns;
        int column = block.First - row * tile.CellColumns;
        for (int cell = 0; cell < block.Count; cell++)
        {
            TReal* sums = At(tile.FirstCellRow + row, tile.FirstCellColumn + column, from);
            int channel = IsMasked(bias, cell) ? channels : 0;
            for (; channel + lanes <= channels; channel += lanes)
                TSimd.Store(sums + channel, TSimd.Add(TSimd.Load(sums + channel), TSimd.Load(results + channel)));
            for (; channel < channels; channel++)
                sums[channel] += results[channel];
            results += resultStride;
            if (++column == tile.CellColumns)
            {
                column = 0;
                row++;
            }
        }
    }

    /// <summary>Adds the sums over the queries of pairs, [cell][query], to the bias of a block of cells.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void AddTotals(
        in CrossTile tile, in CrossBlock block, TReal* bias, TReal* pairs, int pairStride, int from)
    {
        int row = block.First / tile.CellColumns;
        int column = block.First - row * tile.CellColumns;
        for (int cell = 0; cell < block.Count; cell++)
        {
            var sum = TReal.Zero;
            for (int query = 0; query < tile.Queries; query++)
                sum += pairs[query];
            if (!IsMasked(bias, cell))
                *At(tile.FirstCellRow + row, tile.FirstCellColumn + column, from) += sum;
            pairs += pairStride;
            if (++column == tile.CellColumns)
            {
                column = 0;
                row++;
            }
        }
    }

    private static bool IsMasked(TReal* bias, int cell) => bias is not null && TReal.IsNegativeInfinity(bias[cell]);
}
