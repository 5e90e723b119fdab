using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Cross-resolution attention on the CPU. A tile is a rectangle of queries with a set of weights: scores of the queries and of
/// all cells that one of them sees are one product of matrices, softmax follows in place, the output is another product.
/// Windows of many cells go through in blocks, first for the statistics and once more for the output.
/// </summary>
internal readonly unsafe struct CrossAttentionForwardProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<CrossAttentionParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    public static long TileCount(in CrossAttentionParameters<TStorage, TReal> parameters) =>
        (long)parameters.Extent.Batch * parameters.Extent.WeightSets * CrossWork.TilesOfMap(in parameters);

    public static long ScratchBytes(in CrossAttentionParameters<TStorage, TReal> parameters)
    {
        var allocator = new ScratchAllocator(null);
        _ = new CrossScratch<TSimd, TStorage, TReal, TVector>(ref allocator, in parameters, CrossPass.Forward);
        return allocator.Used;
    }

    public static double Operations(in CrossAttentionParameters<TStorage, TReal> parameters) =>
        2.0 * CrossWork.Pairs(in parameters)
            * (parameters.Extent.HeadsOfSet * (parameters.Extent.KeyChannels + 8.0) + parameters.Extent.ValueChannels);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in CrossAttentionParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var memory = new CrossScratch<TSimd, TStorage, TReal, TVector>(ref allocator, in parameters, CrossPass.Forward);
        int columnTiles = (int)parameters.ColumnTiles.Length - 1;
        (long rest, long columnTile) = Math.DivRem(tile, columnTiles);
        (rest, long rowTile) = Math.DivRem(rest, parameters.RowTiles.Length - 1);
        (long image, long set) = Math.DivRem(rest, parameters.Extent.WeightSets);
        var whole = CrossTile.Of(in parameters, (int)image, (int)set, (int)rowTile, (int)columnTile);
        var maps = new CrossMaps<TStorage, TReal>(in parameters, (int)set);
        if (!whole.IsMasked || maps.ValuesAreFinite<TSimd, TVector>(in parameters, in whole))
        {
            Run(in parameters, in whole, in maps, in memory);
            return;
        }

        // A weight of 0 must not meet a value that is not finite: queries of different ranges apart.
        for (int row = whole.Row; row < whole.Row + whole.Rows;)
        {
            int rows = CrossTile.EqualRanges(parameters.Rows, row, whole.Row + whole.Rows);
            for (int column = whole.Column; column < whole.Column + whole.Columns;)
            {
                int columns = CrossTile.EqualRanges(parameters.Columns, column, whole.Column + whole.Columns);
                var part = CrossTile.Between(in parameters, whole.Image, whole.Set, row, rows, column, columns);
                Run(in parameters, in part, in maps, in memory);
                column += columns;
            }
            row += rows;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch)
    {
        int heads = parameters.Extent.HeadsOfSet;
        int valueChannels = parameters.Extent.ValueChannels;
        int blocks = CrossBlock.CountOf(in tile, scratch.BlockCells);
        var share = TReal.One / TReal.CreateTruncating(heads);
        CrossSoftmax<TSimd, TStorage, TReal, TVector>.PrepareTerms(in parameters, in tile, in scratch);
        if (blocks == 0)
            new Span<TReal>(scratch.OutputResult, tile.Queries * scratch.ValueStride).Clear();
        for (int head = 0; head < heads && blocks != 1; head++)
        {
            CrossScores<TSimd, TStorage, TReal, TVector>.StageQuery(in parameters, in tile, in maps, in scratch, head);
            CrossSoftmax<TSimd, TStorage, TReal, TVector>.BeginStatistics(in scratch, head);
            for (int number = 0; number < blocks; number++)
            {
                var block = CrossBlock.Of(in tile, scratch.BlockCells, number);
                CrossScores<TSimd, TStorage, TReal, TVector>.StageBias(in parameters, in tile, in block, in scratch);
                CrossScores<TSimd, TStorage, TReal, TVector>.Compute(
                    in parameters, in tile, in block, in maps, in scratch, head);
                CrossSoftmax<TSimd, TStorage, TReal, TVector>.Accumulate(in scratch, head, block.Count, keeps: false);
            }
            CrossSoftmax<TSimd, TStorage, TReal, TVector>.EndStatistics(in scratch, head);
        }
        for (int number = 0; number < blocks; number++)
        {
            var block = CrossBlock.Of(in tile, scratch.BlockCells, number);
            CrossScores<TSimd, TStorage, TReal, TVector>.StageBias(in parameters, in tile, in block, in scratch);
            CrossScores<TSimd, TStorage, TReal, TVector>.StageCells(
                in parameters, in tile, in block, in maps.Value, in scratch, valueChannels, scratch.Value, scratch.ValueStride);
            for (int head = 0; head < heads; head++)
            {
                CrossScores<TSimd, TStorage, TReal, TVector>.StageQuery(in parameters, in tile, in maps, in scratch, head);
                CrossScores<TSimd, TStorage, TReal, TVector>.Compute(
                    in parameters, in tile, in block, in maps, in scratch, head);
                if (blocks == 1)
                {
                    CrossSoftmax<TSimd, TStorage, TReal, TVector>.BeginStatistics(in scratch, head);
                    CrossSoftmax<TSimd, TStorage, TReal, TVector>.Accumulate(in scratch, head, block.Count, keeps: true);
                    CrossSoftmax<TSimd, TStorage, TReal, TVector>.EndStatistics(in scratch, head);
                }
                CrossSoftmax<TSimd, TStorage, TReal, TVector>.Weigh(
                    in scratch, head, block.Count, areExponentials: blocks == 1);
                if (heads > 1)
                {
                    CrossSoftmax<TSimd, TStorage, TReal, TVector>.Average(
                        scratch.Weights, scratch.MeanWeights, (nint)block.Count * scratch.PairStride, share, head > 0);
                }
            }
            CrossProducts<TSimd, TStorage, TReal, TVector>.Gather(
                scratch.MeanWeights,
                scratch.PairStride,
                scratch.Value,
                scratch.OutputResult,
                scratch.ValueStride,
                tile.Queries,
                block.Count,
                valueChannels,
                adds: number > 0);
        }
        CrossStaging<TSimd, TStorage, TReal, TVector>.StoreQueries(
            scratch.OutputResult, scratch.ValueStride, in tile, in maps.OutputResult, valueChannels, TReal.One);
        if (parameters.Statistics.Data.Length == 0)
            return;
        var statistics = new MapPointer<TReal>(in parameters.Statistics);
        for (int head = 0; head < heads; head++)
        {
            CrossSoftmax<TSimd, TStorage, TReal, TVector>.StoreStatistics(
                in statistics, in tile, in scratch, head, 2 * (maps.FirstHead + head));
        }
    }
}
