using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>What the steps of both backwards have in common.</summary>
internal static unsafe class CrossGradients<TSimd, TStorage, TReal, TVector, TNormalisation>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TNormalisation : struct, IScoreNormalisation
{
    /// <summary>Stages the gradient of the output, the statistics of the forward and what the ranges add.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Begin(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        TReal share)
    {
        int channels = parameters.Extent.ValueChannels;
        var statistics = new MapPointer<TReal>(in parameters.Statistics);
        CrossWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.PrepareTerms(in parameters, in tile, in scratch);
        for (int head = 0; head < parameters.Extent.HeadsOfSet; head++)
        {
            if (parameters.HasNormalisers != 0)
            {
                LoadNormaliser(in statistics, in tile, in scratch, head, maps.FirstHead + head);
                continue;
            }
            CrossSoftmax<TSimd, TStorage, TReal, TVector>.LoadStatistics(
                in statistics, in tile, in scratch, head, 2 * (maps.FirstHead + head));
        }
        CrossStaging<TSimd, TStorage, TReal, TVector>.QueriesAcross(
            in maps.GradOutput, in tile, channels, scratch.GradAcross, scratch.PairStride, share);
        CrossStaging<TSimd, TStorage, TReal, TVector>.QueryRows(
            in maps.GradOutput, in tile, channels, scratch.GradRows, scratch.ValueStride, TReal.One);
        int means = parameters.Extent.HeadsOfSet * scratch.PairStride;
        new Span<TReal>(scratch.MeanGrad, means).Clear();
        if (scratch.MeanDirection is not null)
        {
            new Span<TReal>(scratch.MeanDirection, means).Clear();
            new Span<TReal>(scratch.MeanSecond, means).Clear();
        }
    }

    /// <summary>Stages a map of values of a block of cells and multiplies it with the gradient of the output.</summary>
    public static void CompareValues(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossBlock block,
        in MapPointer<TStorage> map,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        TReal* staged,
        TReal* pairs)
    {
        int channels = parameters.Extent.ValueChannels;
        CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.StageCells(
            in parameters, in tile, in block, in map, in scratch, channels, staged, scratch.ValueStride);
        CrossProducts<TSimd, TStorage, TReal, TVector>.Compare(
            staged,
            scratch.ValueStride,
            scratch.GradAcross,
            pairs,
            scratch.PairStride,
            block.Count,
            channels,
            tile.Queries,
            adds: false);
        if (parameters.HasBias != 0)
            CrossStaging<TSimd, TStorage, TReal, TVector>.ClearMasked(scratch.Bias, in block, pairs, scratch.PairStride);
    }

    /// <summary>Stages the queries and the keys of a head and computes its weights.</summary>
    public static void Weigh(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossBlock block,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        int head)
    {
        CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.StageQuery(in parameters, in tile, in maps, in scratch, head);
        CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.Compute(in parameters, in tile, in block, in maps, in scratch, head);
        CrossWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.Weigh(
            in tile, in block, in scratch, head, parameters.HasBias != 0, areUnnormalised: false);
    }

    /// <summary>Writes the gradients of the queries of all heads.</summary>
    public static void StoreQueries(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        int blocks)
    {
        if (parameters.QueryResult.Data.Length == 0)
            return;
        int channels = parameters.Extent.KeyChannels;
        nint headResult = (nint)parameters.TileQueries * scratch.KeyStride;
        for (int head = 0; head < parameters.Extent.HeadsOfSet; head++)
        {
            TReal* result = scratch.QueryResult + head * headResult;
            if (blocks == 0)
                new Span<TReal>(result, tile.Queries * scratch.KeyStride).Clear();
            var map = new MapPointer<TStorage>(in parameters.QueryResult, (maps.FirstHead + head) * channels);
            CrossStaging<TSimd, TStorage, TReal, TVector>.StoreQueries(
                result,
                scratch.KeyStride,
                in tile,
                in map,
                channels,
                parameters.Scale,
                CrossWork.QueryValues(in parameters.Extent));
        }
    }

    // The exponentials of the scores less the log-sum-exp are the weights.
    private static void LoadNormaliser(
        in MapPointer<TReal> map,
        in CrossTile tile,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        int head,
        int channel)
    {
        nint at = (nint)head * scratch.PairStride;
        new Span<TReal>(scratch.Shift + at, scratch.PairStride).Clear();
        new Span<TReal>(scratch.Reciprocal + at, scratch.PairStride).Clear();
        new Span<TReal>(scratch.Reciprocal + at, tile.Queries).Fill(TReal.One);
        for (int row = 0; row < tile.Rows; row++)
        {
            TReal* normalisers = map.At(tile.Image, channel, tile.Row + row, tile.Column);
            StridedCopy.Gather(normalisers, map.ColumnStride, scratch.Shift + at + row * tile.Columns, tile.Columns);
        }
    }
}
