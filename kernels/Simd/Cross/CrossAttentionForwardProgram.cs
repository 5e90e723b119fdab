using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Cross-resolution attention on the CPU. Of a rectangle of queries and each set of weights the scores of the queries and
/// of all cells that one of them sees are one product of matrices, the normalisation follows in place, the output is another product.
/// Windows of many cells go through in blocks, first for the statistics and once more for the output.
/// </summary>
internal readonly unsafe struct CrossAttentionForwardProgram<TSimd, TStorage, TReal, TVector, TNormalisation>
    : ITileProgram<CrossAttentionParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TNormalisation : struct, IScoreNormalisation
{
    // Rectangles that a thread takes one after the other, so that it knows which queries come next.
    private const int RunLength = 4;

    public static long TileCount(in CrossAttentionParameters<TStorage, TReal> parameters) =>
        (parameters.Extent.Batch * CrossWork.TilesOfMap(in parameters) + RunLength - 1) / RunLength;

    public static long ScratchBytes(in CrossAttentionParameters<TStorage, TReal> parameters)
    {
        var allocator = new ScratchAllocator(null);
        _ = new CrossScratch<TSimd, TStorage, TReal, TVector>(ref allocator, in parameters, CrossPass.Forward, hasSlopes: false);
        return allocator.Used;
    }

    public static double Operations(in CrossAttentionParameters<TStorage, TReal> parameters) =>
        2.0 * CrossWork.Pairs(in parameters)
            * (parameters.Extent.HeadsOfSet * (parameters.Extent.KeyChannels + 8.0) + parameters.Extent.ValueChannels);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in CrossAttentionParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var memory = new CrossScratch<TSimd, TStorage, TReal, TVector>(ref allocator, in parameters, CrossPass.Forward, hasSlopes: false);
        int sets = parameters.Extent.WeightSets;
        long first = tile * RunLength * sets;
        long end = Math.Min(first + RunLength * sets, parameters.Extent.Batch * CrossWork.TilesOfMap(in parameters) * sets);
        for (long at = first; at < end; at++)
        {
            var whole = CrossWork.TileOf(in parameters, at);
            if (at + sets < end)
            {
                var next = CrossWork.TileOf(in parameters, at + sets);
                CrossStaging<TSimd, TStorage, TReal, TVector>.PrefetchQueries(
                    in parameters.Query, in next, parameters.Extent.HeadsOfSet * parameters.Extent.KeyChannels);
            }
            var maps = new CrossMaps<TStorage, TReal>(in parameters, whole.Set);
            Run(in parameters, in whole, in maps, in memory);
        }
    }

    // The weight 0 of a pair that is not seen must not meet a value that is not finite: queries of different ranges apart where
    // there are some.
    private static void Run(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile whole,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> memory)
    {
        if (!whole.IsMasked || maps.ValuesAreFinite<TSimd, TVector>(in parameters, in whole))
        {
            Attend(in parameters, in whole, in maps, in memory);
            return;
        }
        int row = whole.Row;
        int column = whole.Column;
        while (whole.NextPart(in parameters, ref row, ref column, out var part))
            Attend(in parameters, in part, in maps, in memory);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Attend(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch)
    {
        int heads = parameters.Extent.HeadsOfSet;
        int valueChannels = parameters.Extent.ValueChannels;
        int blocks = CrossBlock.CountOf(in tile, scratch.BlockCells);
        bool hasBias = parameters.HasBias != 0;
        bool keeps = blocks == 1 && CrossWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.KeepsUnnormalised;
        var share = TReal.One / TReal.CreateTruncating(heads);
        CrossWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.PrepareTerms(in parameters, in tile, in scratch);
        if (blocks == 0)
            new Span<TReal>(scratch.OutputResult, tile.Queries * scratch.ValueStride).Clear();
        for (int head = 0; head < heads && blocks != 1; head++)
        {
            CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.StageQuery(in parameters, in tile, in maps, in scratch, head);
            CrossWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.BeginStatistics(in scratch, head);
            for (int number = 0; number < blocks && TNormalisation.Divides; number++)
            {
                var block = CrossBlock.Of(in tile, scratch.BlockCells, number);
                CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.StageBias(in parameters, in tile, in block, in scratch);
                CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.Compute(
                    in parameters, in tile, in block, in maps, in scratch, head);
                CrossWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.Accumulate(
                    in tile, in block, in scratch, head, hasBias, keeps: false);
            }
            CrossSoftmax<TSimd, TStorage, TReal, TVector>.EndStatistics(in scratch, head);
        }
        for (int number = 0; number < blocks; number++)
        {
            var block = CrossBlock.Of(in tile, scratch.BlockCells, number);
            CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.StageBias(in parameters, in tile, in block, in scratch);
            CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.StageCells(
                in parameters, in tile, in block, in maps.Value, in scratch, valueChannels, scratch.Value, scratch.ValueStride);
            for (int head = 0; head < heads; head++)
            {
                CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.StageQuery(in parameters, in tile, in maps, in scratch, head);
                CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.Compute(
                    in parameters, in tile, in block, in maps, in scratch, head);
                if (blocks == 1)
                {
                    CrossWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.BeginStatistics(in scratch, head);
                    CrossWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.Accumulate(
                        in tile, in block, in scratch, head, hasBias, keeps);
                    CrossSoftmax<TSimd, TStorage, TReal, TVector>.EndStatistics(in scratch, head);
                }
                CrossWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.Weigh(
                    in tile, in block, in scratch, head, hasBias, areUnnormalised: keeps);
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
            scratch.OutputResult,
            scratch.ValueStride,
            in tile,
            in maps.OutputResult,
            valueChannels,
            TReal.One,
            CrossWork.OutputValues(in parameters.Extent));
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
