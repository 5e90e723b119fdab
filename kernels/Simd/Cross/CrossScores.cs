using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>The scores of the queries of a tile and a block of cells.</summary>
internal static unsafe class CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TNormalisation : struct, IScoreNormalisation
{
    /// <summary>Stages the queries of a head, scaled, as [channel][query].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void StageQuery(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        int head)
    {
        int channels = parameters.Extent.KeyChannels;
        var query = new MapPointer<TStorage>(in parameters.Query, (maps.FirstHead + head) * channels);
        CrossStaging<TSimd, TStorage, TReal, TVector>.QueriesAcross(
            in query, in tile, channels, scratch.QueryAcross, scratch.PairStride, parameters.Scale);
    }

    /// <summary>Stages the bias of a block, which has to come before its cells.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void StageBias(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossBlock block,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch)
    {
        if (parameters.HasBias == 0)
            return;
        var bias = new MapPointer<TStorage>(in parameters.Bias);
        CrossStaging<TSimd, TStorage, TReal, TVector>.Cells(in bias, in tile, in block, 1, scratch.Bias, 1);
    }

    /// <summary>Stages a map of a block of cells; those that the bias takes away are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void StageCells(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossBlock block,
        in MapPointer<TStorage> map,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        int channels,
        TReal* cells,
        int stride)
    {
        CrossStaging<TSimd, TStorage, TReal, TVector>.Cells(in map, in tile, in block, channels, cells, stride);
        if (parameters.HasBias != 0)
            CrossStaging<TSimd, TStorage, TReal, TVector>.ClearMasked(scratch.Bias, in block, cells, stride);
    }

    /// <summary>Stages the keys of a head of a block and computes the scores with what bias and ranges add.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compute(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossBlock block,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        int head)
    {
        int channels = parameters.Extent.KeyChannels;
        var key = new MapPointer<TStorage>(in parameters.Key, (maps.FirstHead + head) * channels);
        StageCells(in parameters, in tile, in block, in key, in scratch, channels, scratch.Key, scratch.KeyStride);
        CrossProducts<TSimd, TStorage, TReal, TVector>.Compare(
            scratch.Key,
            scratch.KeyStride,
            scratch.QueryAcross,
            scratch.Weights,
            scratch.PairStride,
            block.Count,
            channels,
            tile.Queries,
            adds: false);
        CrossWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.Complete(in tile, in block, in scratch, parameters.HasBias != 0);
    }
}
