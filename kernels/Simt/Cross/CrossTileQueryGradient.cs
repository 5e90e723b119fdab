using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The gradient of the query of cross-resolution attention with softmax, Σ P·(a − A)·key with a the gradients of the weights and
/// A their mean, on the tiles of <see cref="CrossTileForward{TElement, TStorage, TReal, TAccess, THeads, TProducts, TState}"/>. The means are saved
/// for the gradients of the cells.
/// </summary>
[RegisterLimit(RegisterLimitAttribute.ThreeWarpsAQuarter)]
internal readonly struct CrossTileQueryGradient<TElement, TStorage, TReal, TAccess, THeads, TProducts, TState>
    : IKernel<CrossAttentionParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAccess : struct, IChannelAccess
    where THeads : struct, IHeadRule
    where TProducts : struct, ICrossProducts<TReal, TState>
    where TState : struct
{
    public static int GroupSize => CrossTile.GroupSize;

    public static long GroupCount(in CrossAttentionParameters<TStorage, TReal> parameters) =>
        CrossTile.GroupCount(in parameters);

    public static void Execute(in CrossAttentionParameters<TStorage, TReal> parameters)
    {
        var shared = CrossTileShared<TReal>.Allocate<TProducts, TState>();
        var tile = CrossTileSteps<TElement, TStorage, TReal, TAccess, TProducts, TState>.Begin(
            in parameters, in parameters.QueryResult, in shared);
        int heads = THeads.HeadsOfSet(in parameters.Extent);
        int firstHead = tile.Part * heads;
        var keys = TileMap<TStorage>.Of(in parameters.Key, shared.Keys);
        var outputs = TileMap<TStorage>.Of(in parameters.QueryResult, shared.Outputs);
        int channels = parameters.Extent.KeyChannels;
        var state = default(TState);
        var gradients = default(CrossScores);
        if (!tile.HasPieces)
            gradients = FindGradients(in parameters, in tile, 0, heads, in shared);
        for (int head = firstHead; head < firstHead + heads; head++)
        {
            var mean = default(Pack4<float>);
            if (tile.HasPieces)
                mean = MeanOfPieces(in parameters, in tile, head, heads, in shared);
            int end = (head + 1) * channels;
            for (int channel = head * channels; channel < end; channel += CrossTile.Channels)
            {
                for (int first = 0; first == 0 | first < tile.CellCount; first += CrossTile.Cells)
                {
                    int count = tile.BlocksFrom(first);
                    if (tile.HasPieces)
                        gradients = FindGradients(in parameters, in tile, first, heads, in shared);
                    if (tile.HasPieces | channel == head * channels)
                    {
                        var weights = CrossTileSteps<TElement, TStorage, TReal, TAccess, TProducts, TState>.KnownWeights(
                            in parameters, in tile, head, count, 1, in shared);
                        if (!tile.HasPieces)
                            mean = TProducts.Total(weights.SumOfProducts(count, in gradients), in shared);
                        float scale = shared.Numbers.Cast<float>()[CrossTileShared<TReal>.Scale];
                        weights.MultiplyDeviations(count, in gradients, mean, scale);
                        TProducts.Keep(ref state, in weights, in shared);
                        Group.Barrier();
                    }
                    TProducts.Add<TElement, TStorage, TAccess>(
                        ref state, first == 0, in keys, count, channel, end, in shared);
                }
                TProducts.Write<TElement, TStorage, TAccess>(in state, in outputs, channel, end);
            }
            CrossSoftmax<TProducts, TState, TReal>.SaveMean(in parameters.Means, head, mean, in shared);
        }
    }

    private static Pack4<float> MeanOfPieces(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        int head,
        int heads,
        in CrossTileShared<TReal> shared)
    {
        var mean = default(Pack4<float>);
        for (int first = 0; first < tile.CellCount; first += CrossTile.Cells)
        {
            int count = tile.BlocksFrom(first);
            var gradients = FindGradients(in parameters, in tile, first, heads, in shared);
            var weights = CrossTileSteps<TElement, TStorage, TReal, TAccess, TProducts, TState>.KnownWeights(
                in parameters, in tile, head, count, 1, in shared);
            var sum = weights.SumOfProducts(count, in gradients);
            Pack4.Add(ref mean, 1f, in sum);
        }
        return TProducts.Total(mean, in shared);
    }

    // Finds a piece of the cells, and the gradients of the weights there.
    private static CrossScores FindGradients(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        int first,
        int heads,
        in CrossTileShared<TReal> shared)
    {
        CrossTileSteps<TElement, TStorage, TReal, TAccess, TProducts, TState>.FindCells(
            in parameters, in tile, first, in shared);
        int count = tile.BlocksFrom(first);
        var gradients = CrossTileSteps<TElement, TStorage, TReal, TAccess, TProducts, TState>.WeightGradients(
            in parameters, in tile, count, in shared);
        if (THeads.Averages)
        {
            float share = 1f / heads;
            gradients.Multiply(count, new Pack4<float> { X = share, Y = share, Z = share, W = share });
        }
        return gradients;
    }
}
