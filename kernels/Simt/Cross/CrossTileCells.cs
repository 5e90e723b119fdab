using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Sums over the queries that see a cell, of softmax: gradients of key or value. A group takes a square of 64 cells, some channels
/// and a part of the queries that see any of them; weights are products of matrices, masked by the ranges, and so are the
/// sums. <see cref="CrossPartSums{TElement, TStorage, TReal}"/> adds the parts up.
/// </summary>
[RegisterLimit(RegisterLimitAttribute.ThreeWarpsAQuarter)]
internal readonly struct CrossTileCells<
    TElement, TStorage, TReal, TRealElement, TAccess, THeads, TCoefficient, TProducts, TState>
    : IKernel<CrossAttentionParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAccess : struct, IChannelAccess
    where TRealElement : struct, IElement<TReal, TReal>
    where THeads : struct, IHeadRule
    where TCoefficient : struct, ICrossCoefficient
    where TProducts : struct, ICrossProducts<TReal, TState>
    where TState : struct
{
    public static int GroupSize => CrossTile.GroupSize;

    public static long GroupCount(in CrossAttentionParameters<TStorage, TReal> parameters) => CrossCellTile.GroupCount(
        in parameters.Extent,
        CrossParts.Count<TCoefficient>(in parameters.Extent),
        Passes(in parameters.Extent),
        parameters.Splits);

    public static void Execute(in CrossAttentionParameters<TStorage, TReal> parameters)
    {
        var shared = CrossTileShared<TReal>.Allocate<TProducts, TState>();
        var tile = CrossCellTile.Locate(
            in parameters,
            CrossParts.Count<TCoefficient>(in parameters.Extent),
            Passes(in parameters.Extent),
            TProducts.ReadsPairs && !TAccess.ChannelsFastest);
        tile.FindCells<TElement, TStorage, TReal, TAccess>(in parameters, in shared);
        var queries = TileMap<TStorage>.Of(in parameters.Query, shared.Keys);
        var gradients = TileMap<TStorage>.Of(in parameters.GradOutput, shared.Values);
        int channels = CrossParts.Channels<TCoefficient>(in parameters.Extent);
        int from = tile.Part * channels + tile.Pass * CrossTile.Channels;
        int end = (tile.Part + 1) * channels;
        var state = default(TState);
        for (int first = 0; first == 0 | first < tile.QueryCount; first += CrossTile.Cells)
        {
            int count = tile.BlocksFrom(first);
            Group.Barrier();
            tile.FindQueries<TStorage, TReal, TAccess>(in parameters, first, in shared);
            var factors = TCoefficient.IsOfValue
                ? Weights(in parameters, in tile, first, count, in shared)
                : ScoreGradients(in parameters, in tile, first, count, in shared);
            TProducts.Keep(ref state, in factors, in shared);
            TProducts.Add<TElement, TStorage, TAccess>(
                ref state,
                first == 0,
                TCoefficient.IsOfValue ? gradients : queries,
                count,
                from,
                end,
                in shared);
        }
        var outputs = TileMap<TReal>.Of(in parameters.Partial, shared.Outputs);
        TProducts.WriteWide<TRealElement, TAccess>(in state, in outputs, from, end);
    }

    private static int Passes(in CrossExtent extent) =>
        (CrossParts.Channels<TCoefficient>(in extent) + CrossTile.Channels - 1) / CrossTile.Channels;

    // The weights of a set, the mean over its heads.
    private static CrossScores Weights(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossCellTile tile,
        int first,
        int count,
        in CrossTileShared<TReal> shared)
    {
        int heads = THeads.HeadsOfSet(in parameters.Extent);
        var weights = default(CrossScores);
        for (int head = tile.Part * heads; head < (tile.Part + 1) * heads; head++)
        {
            var own = Weights(in parameters, in tile, head, 1f / heads, first, count, in shared);
            if (THeads.Averages)
                weights.Add(count, in own);
            else
                weights = own;
        }
        return weights;
    }

    private static CrossScores ScoreGradients(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossCellTile tile,
        int first,
        int count,
        in CrossTileShared<TReal> shared)
    {
        var values = TileMap<TStorage>.Of(in parameters.Value, shared.Gradients);
        var gradOutputs = TileMap<TStorage>.Of(in parameters.GradOutput, shared.Values);
        int channels = parameters.Extent.ValueChannels;
        int set = THeads.Averages ? 0 : tile.Part;
        var gradients = default(CrossScores);
        TProducts.Dots<TElement, TStorage, TAccess>(
            in values, in gradOutputs, count, set * channels, (set + 1) * channels, in shared, ref gradients);
        var weights = Weights(in parameters, in tile, tile.Part, 1f, first, count, in shared);
        float scale = shared.Numbers.Cast<float>()[CrossTileShared<TReal>.Scale];
        weights.MultiplyDeviations<TProducts, TState, TReal>(
            count, in gradients, 1f / THeads.HeadsOfSet(in parameters.Extent), scale, in shared);
        return weights;
    }

    private static CrossScores Weights(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossCellTile tile,
        int head,
        float share,
        int first,
        int count,
        in CrossTileShared<TReal> shared)
    {
        Group.Barrier();
        tile.FindStatistics(in parameters, head, share, !TCoefficient.IsOfValue, first, in shared);
        var keys = TileMap<TStorage>.Of(in parameters.Key, shared.Queries);
        var queries = TileMap<TStorage>.Of(in parameters.Query, shared.Keys);
        int channels = parameters.Extent.KeyChannels;
        var weights = default(CrossScores);
        TProducts.Dots<TElement, TStorage, TAccess>(
            in keys, in queries, count, head * channels, (head + 1) * channels, in shared, ref weights);
        weights.Weigh<TProducts, TState, TReal>(count, in shared);
        return weights;
    }
}
