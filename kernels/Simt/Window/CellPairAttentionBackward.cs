using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The first backward pass of window attention for fixed windows: per query, weights, gradients of the scores and of
/// the query. The second pass gathers the gradients of key and value from what this one leaves in the workspace.
/// </summary>
/// <remarks>
/// The thread mapping is that of the forward, with the weights and their gradients side by side in shared memory.
/// Traffic: query, key, value and the gradient of the output once; gradient of the query and workspace once.
/// </remarks>
[RegisterLimit(RegisterLimitAttribute.FourWarpsAQuarter)]
internal readonly struct CellPairAttentionBackward<
    TElement, TStorage, TReal, TWeightElement, TWindow, TScale, TBorder, TNormalisation, TEmbeddingAccess,
    TValueAccess, TProducts>
    : IKernel<WindowAttentionBackwardParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWeightElement : struct, IElement<TReal, TReal>
    where TWindow : struct, IWindow
    where TScale : struct, IScale
    where TBorder : struct, IBorder
    where TNormalisation : struct, IScoreNormalisation
    where TEmbeddingAccess : struct, IChannelAccess
    where TValueAccess : struct, IChannelAccess
    where TProducts : struct, ICellPairProducts
{
    public static int GroupSize => TProducts.GroupSize<TWindow>();

    public static long GroupCount(in WindowAttentionBackwardParameters<TStorage, TReal> parameters) =>
        CellPair.GroupCount<TEmbeddingAccess>(in parameters.Extent, in parameters.Band);

    public static void Execute(in WindowAttentionBackwardParameters<TStorage, TReal> parameters)
    {
        var shared = CellPairShared<TReal>.Allocate<TWindow, TEmbeddingAccess, TProducts>();
        var gradients = SharedMemory.Allocate<Pack4<TReal>>(CellPair.ArrayLength<TWindow>()).AsAligned(16);
        var tile = CellPairTile.Locate<TEmbeddingAccess>(in parameters.Extent, in parameters.Band);
        int packs = CellPair.QueryPacks<TScale>(in parameters.Extent);
        for (int pack = 0; pack < packs; pack++)
        {
            Group.Barrier();
            var key = TileMap<TStorage>.OfCells<TWindow, TBorder, TEmbeddingAccess, TEmbeddingAccess>(
                in parameters.Extent, in tile, in parameters.Key, shared.Cells);
            var query = TileMap<TStorage>.OfQueries<TScale, TEmbeddingAccess, TEmbeddingAccess>(
                in parameters.Extent, in tile, pack, in parameters.Query, shared.Queries);
            CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TEmbeddingAccess, TProducts>
                .Dots<TEmbeddingAccess>(
                    in query, in key, parameters.Extent.EmbeddingChannels, shared.Stage, shared.Weights);
            Group.Barrier();
            var value = TileMap<TStorage>.OfCells<TWindow, TBorder, TEmbeddingAccess, TValueAccess>(
                in parameters.Extent, in tile, in parameters.Value, shared.Cells);
            var gradOutput = TileMap<TStorage>.OfQueries<TScale, TEmbeddingAccess, TValueAccess>(
                in parameters.Extent, in tile, pack, in parameters.GradOutput, shared.Queries);
            CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TEmbeddingAccess, TProducts>
                .Dots<TValueAccess>(
                    in gradOutput, in value, parameters.Extent.ValueChannels, shared.Stage, gradients);
            Group.Barrier();
            CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TEmbeddingAccess, TProducts>
                .NormaliseBackward<TScale, TNormalisation>(
                    in parameters.Extent,
                    in tile,
                    pack,
                    shared.Weights.Cast<TReal>(),
                    gradients.Cast<TReal>(),
                    in parameters.Normaliser);
            key = TileMap<TStorage>.OfCells<TWindow, TBorder, TEmbeddingAccess, TEmbeddingAccess>(
                in parameters.Extent, in tile, in parameters.Key, shared.Cells);
            var gradQuery = TileMap<TStorage>.OfQueries<TScale, TEmbeddingAccess, TEmbeddingAccess>(
                in parameters.Extent, in tile, pack, in parameters.GradQuery, shared.Queries);
            Group.Barrier();
            if (parameters.NeedsWeights != 0)
            {
                CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TEmbeddingAccess, TProducts>
                    .Save<TScale, TWeightElement, TReal>(
                        in parameters.Extent, in tile, pack, shared.Weights.Cast<TReal>(), in parameters.Weights);
            }
            if (parameters.NeedsGradScores != 0)
            {
                CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TEmbeddingAccess, TProducts>
                    .Save<TScale, TWeightElement, TReal>(
                        in parameters.Extent, in tile, pack, gradients.Cast<TReal>(), in parameters.GradScores);
            }
            if (parameters.NeedsGradQuery != 0)
            {
                CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TEmbeddingAccess, TProducts>
                    .Sums<TScale, TEmbeddingAccess>(
                        in key,
                        in gradQuery,
                        parameters.Extent.EmbeddingChannels,
                        parameters.GradQueryByRows,
                        shared.Stage,
                        gradients);
            }
        }
    }
}
