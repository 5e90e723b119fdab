using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The gradients of query, key, value and bias. With P the weights, a = ⟨value, gradient of the output⟩ and A its mean over the
/// weights, those of the scores are Q·(a − A): Q is the derivative of an unnormalised weight over the sum of all, for softmax P. Weights
/// that are not divided by their sum have no A.
/// </summary>
internal readonly unsafe struct CrossBackwardStep<TSimd, TStorage, TReal, TVector, TNormalisation>
    : ICrossGradientStep<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TNormalisation : struct, IScoreNormalisation
{
    public static CrossPass Pass => CrossPass.Backward;

    public static bool HasSlopes => !TNormalisation.SubtractsMaximum;

    public static double Products => 5;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        in CrossSums<TStorage, TReal> sums)
    {
        int heads = parameters.Extent.HeadsOfSet;
        int keyChannels = parameters.Extent.KeyChannels;
        int valueChannels = parameters.Extent.ValueChannels;
        int blocks = CrossBlock.CountOf(in tile, scratch.BlockCells);
        nint headResult = (nint)parameters.TileQueries * scratch.KeyStride;
        var share = TReal.One / TReal.CreateTruncating(heads);
        CrossGradients<TSimd, TStorage, TReal, TVector, TNormalisation>.Begin(in parameters, in tile, in maps, in scratch, share);
        for (int number = 0; number < blocks && blocks > 1 && TNormalisation.Divides; number++)
        {
            var block = CrossBlock.Of(in tile, scratch.BlockCells, number);
            StageGradWeights(in parameters, in tile, in block, in maps, in scratch);
            for (int head = 0; head < heads; head++)
            {
                CrossGradients<TSimd, TStorage, TReal, TVector, TNormalisation>.Weigh(
                    in parameters, in tile, in block, in maps, in scratch, head);
                AddMeans(in scratch, head, block.Count);
            }
        }
        for (int number = 0; number < blocks; number++)
        {
            var block = CrossBlock.Of(in tile, scratch.BlockCells, number);
            StageGradWeights(in parameters, in tile, in block, in maps, in scratch);
            for (int head = 0; head < heads; head++)
            {
                CrossGradients<TSimd, TStorage, TReal, TVector, TNormalisation>.Weigh(
                    in parameters, in tile, in block, in maps, in scratch, head);
                if (blocks == 1 && TNormalisation.Divides)
                    AddMeans(in scratch, head, block.Count);
                Differentiate(in scratch, head, block.Count);
                if (parameters.QueryResult.Data.Length > 0)
                {
                    CrossProducts<TSimd, TStorage, TReal, TVector>.Gather(
                        scratch.GradScores,
                        scratch.PairStride,
                        scratch.Key,
                        scratch.QueryResult + head * headResult,
                        scratch.KeyStride,
                        tile.Queries,
                        block.Count,
                        keyChannels,
                        adds: number > 0);
                }
                if (parameters.KeyResult.Data.Length > 0)
                {
                    var query = new MapPointer<TStorage>(in parameters.Query, (maps.FirstHead + head) * keyChannels);
                    CrossStaging<TSimd, TStorage, TReal, TVector>.QueryRows(
                        in query, in tile, keyChannels, scratch.QueryRows, scratch.KeyStride, parameters.Scale);
                    CrossProducts<TSimd, TStorage, TReal, TVector>.Collect(
                        scratch.GradScores,
                        scratch.PairStride,
                        scratch.QueryRows,
                        scratch.CellResult,
                        scratch.KeyStride,
                        block.Count,
                        tile.Queries,
                        keyChannels,
                        adds: false);
                    sums.Add<TSimd, TVector>(
                        in tile, in block, scratch.Bias, scratch.CellResult, scratch.KeyStride, keyChannels, head * keyChannels);
                }
                if (parameters.BiasResult.Data.Length > 0)
                {
                    sums.AddTotals(
                        in tile,
                        in block,
                        scratch.Bias,
                        scratch.GradScores,
                        scratch.PairStride,
                        CrossSums<TStorage, TReal>.BiasOf(in parameters.Extent));
                }
                if (heads > 1)
                {
                    CrossSoftmax<TSimd, TStorage, TReal, TVector>.Average(
                        scratch.Weights, scratch.MeanWeights, (nint)block.Count * scratch.PairStride, share, head > 0);
                }
            }
            if (parameters.ValueResult.Data.Length == 0)
                continue;
            CrossProducts<TSimd, TStorage, TReal, TVector>.Collect(
                scratch.MeanWeights,
                scratch.PairStride,
                scratch.GradRows,
                scratch.CellResult,
                scratch.ValueStride,
                block.Count,
                tile.Queries,
                valueChannels,
                adds: false);
            sums.Add<TSimd, TVector>(
                in tile,
                in block,
                scratch.Bias,
                scratch.CellResult,
                scratch.ValueStride,
                valueChannels,
                CrossSums<TStorage, TReal>.ValueOf(in parameters.Extent));
        }
        CrossGradients<TSimd, TStorage, TReal, TVector, TNormalisation>.StoreQueries(in parameters, in tile, in maps, in scratch, blocks);
    }

    private static void StageGradWeights(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossBlock block,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch)
    {
        CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.StageBias(in parameters, in tile, in block, in scratch);
        CrossGradients<TSimd, TStorage, TReal, TVector, TNormalisation>.CompareValues(
            in parameters, in tile, in block, in maps.Value, in scratch, scratch.Value, scratch.GradWeights);
    }

    // A += Σ over cells of P·a.
    private static void AddMeans(in CrossScratch<TSimd, TStorage, TReal, TVector> scratch, int head, int cells)
    {
        nint stride = scratch.PairStride;
        for (int query = 0; query < stride; query += TSimd.Lanes)
        {
            TReal* mean = scratch.MeanGrad + head * stride + query;
            var sum = TSimd.Load(mean);
            nint at = query;
            for (int cell = 0; cell < cells; cell++)
            {
                sum = TSimd.MultiplyAdd(TSimd.Load(scratch.Weights + at), TSimd.Load(scratch.GradWeights + at), sum);
                at += stride;
            }
            TSimd.Store(mean, sum);
        }
    }

    private static void Differentiate(in CrossScratch<TSimd, TStorage, TReal, TVector> scratch, int head, int cells)
    {
        nint stride = scratch.PairStride;
        for (int query = 0; query < stride; query += TSimd.Lanes)
        {
            var mean = TSimd.Load(scratch.MeanGrad + head * stride + query);
            nint at = query;
            for (int cell = 0; cell < cells; cell++)
            {
                TSimd.Store(
                    scratch.GradScores + at,
                    TSimd.Multiply(
                        TSimd.Load(scratch.Slopes + at), TSimd.Subtract(TSimd.Load(scratch.GradWeights + at), mean)));
                at += stride;
            }
        }
    }
}
