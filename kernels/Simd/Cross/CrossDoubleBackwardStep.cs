using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The gradients of S = Σ ⟨gradient, direction⟩ over query, key, value and bias. S is also ⟨g, dO⟩ with g the gradient of the
/// output and dO the derivative of the output along the directions, so with the weights P, a prime for a derivative along the
/// directions, a = ⟨value, g⟩, a′ = ⟨value direction, g⟩ and the means over the weights A of a, M of s′, with softmax:
/// </summary>
/// <remarks>
/// <code>
/// P′ = P·(s′ − M)                                     dO = Σ P′·v + P·v′, the gradient of g
/// u  = s′·a − s′·A − M·a + a′                         t  = P·(u − Σ P·u), the gradient of the scores
/// gradient of q = scale·Σ t·k + P·(a − A)·k′, likewise of k; of v Σ P′·g; of the bias Σ t
/// </code>
/// <para>With any other normalisation Q and R are the first and second derivatives of an unnormalised weight over the sum of all:</para>
/// <code>
/// M  = Σ Q·s′                                         B = Σ Q·s′·a + P·a′
/// P′ = Q·s′ − P·M                                     t = R·s′·(a − A) + Q·(a′ − M·(a − A) + A·M − B)
/// gradient of q = scale·Σ t·k + Q·(a − A)·k′
/// </code>
/// <para>A, M and B are 0 where weights are not divided by their sum.</para>
/// </remarks>
internal readonly unsafe struct CrossDoubleBackwardStep<TSimd, TStorage, TReal, TVector, TNormalisation>
    : ICrossGradientStep<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TNormalisation : struct, IScoreNormalisation
{
    public static CrossPass Pass => CrossPass.DoubleBackward;

    public static bool HasSlopes => !TNormalisation.SubtractsMaximum;

    public static double Products => 12;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        in CrossSums<TStorage, TReal> sums)
    {
        int heads = parameters.Extent.HeadsOfSet;
        int blocks = CrossBlock.CountOf(in tile, scratch.BlockCells);
        var share = TReal.One / TReal.CreateTruncating(heads);
        CrossGradients<TSimd, TStorage, TReal, TVector, TNormalisation>.Begin(in parameters, in tile, in maps, in scratch, share);
        for (int number = 0; number < blocks && blocks > 1 && TNormalisation.Divides; number++)
        {
            var block = CrossBlock.Of(in tile, scratch.BlockCells, number);
            StageValues(in parameters, in tile, in block, in maps, in scratch);
            for (int head = 0; head < heads; head++)
            {
                Compare(in parameters, in tile, in block, in maps, in scratch, head);
                AddMeans(in scratch, head, block.Count);
            }
        }
        if (blocks == 0)
            new Span<TReal>(scratch.OutputResult, tile.Queries * scratch.ValueStride).Clear();
        for (int number = 0; number < blocks; number++)
        {
            var block = CrossBlock.Of(in tile, scratch.BlockCells, number);
            StageValues(in parameters, in tile, in block, in maps, in scratch);
            for (int head = 0; head < heads; head++)
            {
                Compare(in parameters, in tile, in block, in maps, in scratch, head);
                if (blocks == 1 && TNormalisation.Divides)
                    AddMeans(in scratch, head, block.Count);
                Differentiate(in scratch, head, block.Count);
                ApplyToKeys(in parameters, in tile, in block, in maps, in scratch, in sums, head, number > 0);
                if (heads == 1)
                    continue;
                nint pairs = (nint)block.Count * scratch.PairStride;
                CrossSoftmax<TSimd, TStorage, TReal, TVector>.Average(
                    scratch.Weights, scratch.MeanWeights, pairs, share, head > 0);
                CrossSoftmax<TSimd, TStorage, TReal, TVector>.Average(
                    scratch.ScoreDirections, scratch.MeanDirections, pairs, share, head > 0);
            }
            ApplyToValues(in parameters, in tile, in block, in scratch, in sums, number > 0);
        }
        if (parameters.OutputResult.Data.Length > 0)
        {
            CrossStaging<TSimd, TStorage, TReal, TVector>.StoreQueries(
                scratch.OutputResult,
                scratch.ValueStride,
                in tile,
                in maps.OutputResult,
                parameters.Extent.ValueChannels,
                TReal.One,
                CrossWork.OutputValues(in parameters.Extent));
        }
        CrossGradients<TSimd, TStorage, TReal, TVector, TNormalisation>.StoreQueries(in parameters, in tile, in maps, in scratch, blocks);
    }

    // a and a′ of a block.
    private static void StageValues(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossBlock block,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch)
    {
        CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.StageBias(in parameters, in tile, in block, in scratch);
        CrossGradients<TSimd, TStorage, TReal, TVector, TNormalisation>.CompareValues(
            in parameters, in tile, in block, in maps.Value, in scratch, scratch.Value, scratch.GradWeights);
        CrossGradients<TSimd, TStorage, TReal, TVector, TNormalisation>.CompareValues(
            in parameters, in tile, in block, in maps.ValueDirection, in scratch, scratch.ValueDirection, scratch.GradWeightDirections);
    }

    // P and s′ of a head.
    private static void Compare(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossBlock block,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        int head)
    {
        int channels = parameters.Extent.KeyChannels;
        int channel = (maps.FirstHead + head) * channels;
        CrossGradients<TSimd, TStorage, TReal, TVector, TNormalisation>.Weigh(in parameters, in tile, in block, in maps, in scratch, head);
        var query = new MapPointer<TStorage>(in parameters.QueryDirection, channel);
        CrossStaging<TSimd, TStorage, TReal, TVector>.QueriesAcross(
            in query, in tile, channels, scratch.QueryDirectionAcross, scratch.PairStride, parameters.Scale);
        var key = new MapPointer<TStorage>(in parameters.KeyDirection, channel);
        CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.StageCells(
            in parameters, in tile, in block, in key, in scratch, channels, scratch.KeyDirection, scratch.KeyStride);
        CrossProducts<TSimd, TStorage, TReal, TVector>.Compare(
            scratch.Key,
            scratch.KeyStride,
            scratch.QueryDirectionAcross,
            scratch.ScoreDirections,
            scratch.PairStride,
            block.Count,
            channels,
            tile.Queries,
            adds: false);
        CrossProducts<TSimd, TStorage, TReal, TVector>.Compare(
            scratch.KeyDirection,
            scratch.KeyStride,
            scratch.QueryAcross,
            scratch.ScoreDirections,
            scratch.PairStride,
            block.Count,
            channels,
            tile.Queries,
            adds: true);
        if (parameters.BiasDirection.Data.Length > 0)
            AddBiasDirection(in parameters, in tile, in block, in scratch);
        if (parameters.HasBias != 0)
        {
            CrossStaging<TSimd, TStorage, TReal, TVector>.ClearMasked(
                scratch.Bias, in block, scratch.ScoreDirections, scratch.PairStride);
        }
    }

    private static void AddBiasDirection(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossBlock block,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch)
    {
        var bias = new MapPointer<TStorage>(in parameters.BiasDirection);
        CrossScores<TSimd, TStorage, TReal, TVector, TNormalisation>.StageCells(
            in parameters, in tile, in block, in bias, in scratch, 1, scratch.BiasDirection, 1);
        for (int cell = 0; cell < block.Count; cell++)
        {
            var added = TSimd.Broadcast(scratch.BiasDirection[cell]);
            TReal* row = scratch.ScoreDirections + (nint)cell * scratch.PairStride;
            for (int at = 0; at < scratch.PairStride; at += TSimd.Lanes)
                TSimd.Store(row + at, TSimd.Add(TSimd.Load(row + at), added));
        }
    }

    // The means of a, s′ and s′·a + a′; the sums A, M and B.
    private static void AddMeans(in CrossScratch<TSimd, TStorage, TReal, TVector> scratch, int head, int cells)
    {
        nint stride = scratch.PairStride;
        for (int query = 0; query < stride; query += TSimd.Lanes)
        {
            nint mean = head * stride + query;
            var grad = TSimd.Load(scratch.MeanGrad + mean);
            var direction = TSimd.Load(scratch.MeanDirection + mean);
            var second = TSimd.Load(scratch.MeanSecond + mean);
            nint at = query;
            for (int cell = 0; cell < cells; cell++)
            {
                var weight = TSimd.Load(scratch.Weights + at);
                var a = TSimd.Load(scratch.GradWeights + at);
                var s = TSimd.Load(scratch.ScoreDirections + at);
                grad = TSimd.MultiplyAdd(weight, a, grad);
                if (TNormalisation.SubtractsMaximum)
                {
                    direction = TSimd.MultiplyAdd(weight, s, direction);
                    second = TSimd.MultiplyAdd(
                        weight, TSimd.MultiplyAdd(s, a, TSimd.Load(scratch.GradWeightDirections + at)), second);
                }
                else
                {
                    var change = TSimd.Multiply(TSimd.Load(scratch.Slopes + at), s);
                    direction = TSimd.Add(direction, change);
                    second = TSimd.MultiplyAdd(change, a, second);
                    second = TSimd.MultiplyAdd(weight, TSimd.Load(scratch.GradWeightDirections + at), second);
                }
                at += stride;
            }
            TSimd.Store(scratch.MeanGrad + mean, grad);
            TSimd.Store(scratch.MeanDirection + mean, direction);
            TSimd.Store(scratch.MeanSecond + mean, second);
        }
    }

    // P·(a − A), t, and P′ in the place of s′. Both factors are centred: s′·a − s′·A − M·a = (s′ − M)·(a − A) − M·A.
    private static void Differentiate(in CrossScratch<TSimd, TStorage, TReal, TVector> scratch, int head, int cells)
    {
        nint stride = scratch.PairStride;
        for (int query = 0; query < stride; query += TSimd.Lanes)
        {
            nint mean = head * stride + query;
            var grad = TSimd.Load(scratch.MeanGrad + mean);
            var direction = TSimd.Load(scratch.MeanDirection + mean);
            var second = TSimd.Subtract(TSimd.Load(scratch.MeanSecond + mean), TSimd.Multiply(grad, direction));
            nint at = query;
            for (int cell = 0; cell < cells; cell++)
            {
                var weight = TSimd.Load(scratch.Weights + at);
                var a = TSimd.Subtract(TSimd.Load(scratch.GradWeights + at), grad);
                if (!TNormalisation.SubtractsMaximum)
                {
                    var change = TSimd.Load(scratch.ScoreDirections + at);
                    var slope = TSimd.Load(scratch.Slopes + at);
                    var rest = TSimd.Subtract(
                        TSimd.Subtract(TSimd.Load(scratch.GradWeightDirections + at), TSimd.Multiply(direction, a)), second);
                    var curved = TSimd.Multiply(TSimd.Load(scratch.Curvatures + at), change);
                    TSimd.Store(scratch.GradScores + at, TSimd.Multiply(slope, a));
                    TSimd.Store(
                        scratch.SecondScores + at, TSimd.MultiplyAdd(curved, a, TSimd.Multiply(slope, rest)));
                    TSimd.Store(
                        scratch.ScoreDirections + at,
                        TSimd.Subtract(TSimd.Multiply(slope, change), TSimd.Multiply(weight, direction)));
                    at += stride;
                    continue;
                }
                var s = TSimd.Subtract(TSimd.Load(scratch.ScoreDirections + at), direction);
                var u = TSimd.MultiplyAdd(s, a, TSimd.Load(scratch.GradWeightDirections + at));
                TSimd.Store(scratch.GradScores + at, TSimd.Multiply(weight, a));
                TSimd.Store(scratch.SecondScores + at, TSimd.Multiply(weight, TSimd.Subtract(u, second)));
                TSimd.Store(scratch.ScoreDirections + at, TSimd.Multiply(weight, s));
                at += stride;
            }
        }
    }

    private static void ApplyToKeys(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossBlock block,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        in CrossSums<TStorage, TReal> sums,
        int head,
        bool adds)
    {
        int channels = parameters.Extent.KeyChannels;
        int stride = scratch.KeyStride;
        int pairStride = scratch.PairStride;
        if (parameters.QueryResult.Data.Length > 0)
        {
            TReal* result = scratch.QueryResult + head * (nint)parameters.TileQueries * stride;
            CrossProducts<TSimd, TStorage, TReal, TVector>.Gather(
                scratch.SecondScores, pairStride, scratch.Key, result, stride, tile.Queries, block.Count, channels, adds);
            CrossProducts<TSimd, TStorage, TReal, TVector>.Gather(
                scratch.GradScores, pairStride, scratch.KeyDirection, result, stride, tile.Queries, block.Count, channels, true);
        }
        if (parameters.KeyResult.Data.Length > 0)
        {
            int channel = (maps.FirstHead + head) * channels;
            var query = new MapPointer<TStorage>(in parameters.Query, channel);
            var direction = new MapPointer<TStorage>(in parameters.QueryDirection, channel);
            CrossStaging<TSimd, TStorage, TReal, TVector>.QueryRows(
                in query, in tile, channels, scratch.QueryRows, stride, parameters.Scale);
            CrossStaging<TSimd, TStorage, TReal, TVector>.QueryRows(
                in direction, in tile, channels, scratch.QueryDirectionRows, stride, parameters.Scale);
            CrossProducts<TSimd, TStorage, TReal, TVector>.Collect(
                scratch.SecondScores, pairStride, scratch.QueryRows, scratch.CellResult, stride, block.Count, tile.Queries, channels, false);
            CrossProducts<TSimd, TStorage, TReal, TVector>.Collect(
                scratch.GradScores, pairStride, scratch.QueryDirectionRows, scratch.CellResult, stride, block.Count, tile.Queries, channels, true);
            sums.Add<TSimd, TVector>(
                in tile, in block, scratch.Bias, scratch.CellResult, stride, channels, head * channels);
        }
        if (parameters.BiasResult.Data.Length > 0)
        {
            sums.AddTotals(
                in tile,
                in block,
                scratch.Bias,
                scratch.SecondScores,
                pairStride,
                CrossSums<TStorage, TReal>.BiasOf(in parameters.Extent));
        }
    }

    private static void ApplyToValues(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossBlock block,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        in CrossSums<TStorage, TReal> sums,
        bool adds)
    {
        int channels = parameters.Extent.ValueChannels;
        int stride = scratch.ValueStride;
        int pairStride = scratch.PairStride;
        if (parameters.OutputResult.Data.Length > 0)
        {
            CrossProducts<TSimd, TStorage, TReal, TVector>.Gather(
                scratch.MeanDirections, pairStride, scratch.Value, scratch.OutputResult, stride, tile.Queries, block.Count, channels, adds);
            CrossProducts<TSimd, TStorage, TReal, TVector>.Gather(
                scratch.MeanWeights, pairStride, scratch.ValueDirection, scratch.OutputResult, stride, tile.Queries, block.Count, channels, true);
        }
        if (parameters.ValueResult.Data.Length == 0)
            return;
        CrossProducts<TSimd, TStorage, TReal, TVector>.Collect(
            scratch.MeanDirections, pairStride, scratch.GradRows, scratch.CellResult, stride, block.Count, tile.Queries, channels, false);
        sums.Add<TSimd, TVector>(
            in tile,
            in block,
            scratch.Bias,
            scratch.CellResult,
            stride,
            channels,
            CrossSums<TStorage, TReal>.ValueOf(in parameters.Extent));
    }
}
