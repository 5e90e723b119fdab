using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>What programs on tiles of queries have in common. A whole group calls together.</summary>
internal static class CrossTileSteps<TElement, TStorage, TReal, TAccess, TProducts, TState>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAccess : struct, IChannelAccess
    where TProducts : struct, ICrossProducts<TReal, TState>
    where TState : struct
{
    /// <summary>Finds the tile of the group and its queries. Ends without a barrier.</summary>
    /// <param name="parameters">The problem.</param>
    /// <param name="outputs">The map that is written.</param>
    /// <param name="shared">The shared memory.</param>
    public static CrossTile Begin(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in MapView<TStorage> outputs,
        in CrossTileShared<TReal> shared)
    {
        var tile = CrossTile.Locate(in parameters, TProducts.ReadsPairs && !TAccess.ChannelsFastest);
        tile.FindQueries<TStorage, TReal, TAccess>(in parameters, in outputs, in shared);
        return tile;
    }

    /// <summary>Finds a piece of the cells. Begins with a barrier, for what was there may still be read.</summary>
    public static void FindCells(
        in CrossAttentionParameters<TStorage, TReal> parameters, in CrossTile tile, int first, in CrossTileShared<TReal> shared)
    {
        Group.Barrier();
        tile.FindCells<TElement, TStorage, TReal, TAccess>(in parameters, first, in shared);
    }

    /// <summary>The scores of a head in a piece; −∞ for what is not seen.</summary>
    public static CrossScores Scores(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        int head,
        int count,
        in CrossTileShared<TReal> shared)
    {
        var queries = TileMap<TStorage>.Of(in parameters.Query, shared.Queries);
        var keys = TileMap<TStorage>.Of(in parameters.Key, shared.Keys);
        int channels = parameters.Extent.KeyChannels;
        var scores = default(CrossScores);
        TProducts.Dots<TElement, TStorage, TAccess>(
            in queries, in keys, count, head * channels, (head + 1) * channels, in shared, ref scores);
        scores.Complete<TProducts, TState, TReal>(count, in shared);
        if (!tile.IsUniform)
            scores.Hide<TProducts, TState, TReal>(count, in shared);
        return scores;
    }

    /// <summary>The weights of a head in a piece, of which there are some to be averaged, where the statistics are known.</summary>
    public static CrossScores KnownWeights(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        int head,
        int count,
        int heads,
        in CrossTileShared<TReal> shared)
    {
        var scores = Scores(in parameters, in tile, head, count, in shared);
        var known = CrossSoftmax<TProducts, TState, TReal>.Read(in parameters.Statistics, head, in shared);
        scores.Raise<TProducts, TState, TReal>(count, known.Shift());
        scores.Multiply(count, known.Factor(heads));
        return scores;
    }

    /// <summary>The gradients of the weights of a tile in a piece, ⟨gradient of the output, value⟩.</summary>
    public static CrossScores WeightGradients(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        int count,
        in CrossTileShared<TReal> shared)
    {
        var gradients = TileMap<TStorage>.Of(in parameters.GradOutput, shared.Gradients);
        var values = TileMap<TStorage>.Of(in parameters.Value, shared.Values);
        int channels = parameters.Extent.ValueChannels;
        var products = default(CrossScores);
        TProducts.Dots<TElement, TStorage, TAccess>(
            in gradients, in values, count, tile.Part * channels, (tile.Part + 1) * channels, in shared, ref products);
        return products;
    }
}
