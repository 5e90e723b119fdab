using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Cross-resolution attention with softmax, forward, in single precision: a group takes a tile of 64 queries, the cells that
/// these see, and a set of weights. Scores are a product of matrices, masked where ranges differ; so are the sums.
/// </summary>
/// <remarks>
/// Cells of one piece, which are those of a window of 9, go through once. Of more, the softmax goes through all pieces first, and
/// scores are computed anew for every pass of channels, so that weights are never stored. Traffic to main memory: query once, output
/// once; key and value once for every tile, of which the cache serves most.
/// </remarks>
[RegisterLimit(RegisterLimitAttribute.FourWarpsAQuarter)]
internal readonly struct CrossTileForward<TElement, TStorage, TReal, TAccess, THeads, TProducts, TState>
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
            in parameters, in parameters.OutputResult, in shared);
        int heads = THeads.HeadsOfSet(in parameters.Extent);
        int firstHead = tile.Part * heads;
        if (tile.HasPieces)
        {
            for (int head = firstHead; head < firstHead + heads; head++)
                SaveStatistics(in parameters, in tile, head, in shared);
            Group.Barrier();
        }
        var outputs = TileMap<TStorage>.Of(in parameters.OutputResult, shared.Outputs);
        var values = TileMap<TStorage>.Of(in parameters.Value, shared.Values);
        int from = tile.Part * parameters.Extent.ValueChannels;
        int end = from + parameters.Extent.ValueChannels;
        var state = default(TState);
        for (int channel = from; channel < end; channel += CrossTile.Channels)
        {
            for (int first = 0; first == 0 | first < tile.CellCount; first += CrossTile.Cells)
            {
                int count = tile.BlocksFrom(first);
                if (channel == from | tile.HasPieces)
                {
                    CrossTileSteps<TElement, TStorage, TReal, TAccess, TProducts, TState>.FindCells(
                        in parameters, in tile, first, in shared);
                    var weights = default(CrossScores);
                    for (int head = firstHead; head < firstHead + heads; head++)
                    {
                        var own = Weights(in parameters, in tile, head, count, heads, in shared);
                        if (THeads.Averages)
                            weights.Add(count, in own);
                        else
                            weights = own;
                    }
                    TProducts.Keep(ref state, in weights, in shared);
                    Group.Barrier();
                }
                TProducts.Add<TElement, TStorage, TAccess>(
                    ref state, first == 0, in values, count, channel, end, in shared);
            }
            TProducts.Write<TElement, TStorage, TAccess>(in state, in outputs, channel, end);
        }
    }

    // The softmax of all pieces.
    private static void SaveStatistics(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        int head,
        in CrossTileShared<TReal> shared)
    {
        Group.Barrier();
        var softmax = CrossSoftmax<TProducts, TState, TReal>.Begin(in shared);
        for (int first = 0; first < tile.CellCount; first += CrossTile.Cells)
        {
            int count = tile.BlocksFrom(first);
            CrossTileSteps<TElement, TStorage, TReal, TAccess, TProducts, TState>.FindCells(
                in parameters, in tile, first, in shared);
            var scores = CrossTileSteps<TElement, TStorage, TReal, TAccess, TProducts, TState>.Scores(
                in parameters, in tile, head, count, in shared);
            softmax.Add(count, ref scores, in shared);
        }
        softmax.Save(in parameters.Statistics, head, in shared);
    }

    // The weights of a head in a piece; where it is the only one, its softmax as well.
    private static CrossScores Weights(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        int head,
        int count,
        int heads,
        in CrossTileShared<TReal> shared)
    {
        if (tile.HasPieces)
        {
            return CrossTileSteps<TElement, TStorage, TReal, TAccess, TProducts, TState>.KnownWeights(
                in parameters, in tile, head, count, heads, in shared);
        }
        var scores = CrossTileSteps<TElement, TStorage, TReal, TAccess, TProducts, TState>.Scores(
            in parameters, in tile, head, count, in shared);
        var softmax = CrossSoftmax<TProducts, TState, TReal>.Begin(in shared);
        softmax.Add(count, ref scores, in shared);
        softmax.Save(in parameters.Statistics, head, in shared);
        scores.Multiply(count, softmax.Factor(heads));
        return scores;
    }
}
