using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The first backward pass of window attention: per query, weights, gradients of the scores and of the query. The
/// second pass, <see cref="TransposedReassembly{TElement, TStorage, TReal, TWeightElement, TWeight, TWindow,
/// TScale, TAccess}"/>, gathers the gradients of key and value from what this one leaves in the workspace.
/// </summary>
/// <remarks>
/// The thread mapping is that of the forward, with the weights and their gradients side by side in shared memory.
/// Traffic: query, key, value and the gradient of the output once; gradient of the query and workspace once.
/// </remarks>
internal readonly struct WindowAttentionBackward<
    TElement, TStorage, TReal, TWeightElement, TWindow, TScale, TBorder, TNormalisation, TEmbeddingAccess,
    TValueAccess>
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
{
    public static int GroupSize => 128;

    public static long GroupCount(in WindowAttentionBackwardParameters<TStorage, TReal> parameters) =>
        parameters.Tiling.Count(parameters.Band.Images);

    public static void Execute(in WindowAttentionBackwardParameters<TStorage, TReal> parameters)
    {
        var weights = SharedMemory.Allocate<Pack4<TReal>>(TElement.SharedCapacity / 8).AsAligned(16);
        var gradients = SharedMemory.Allocate<Pack4<TReal>>(TElement.SharedCapacity / 8).AsAligned(16);
        var weightScalars = weights.Cast<TReal>();
        var gradientScalars = gradients.Cast<TReal>();
        var tile = CellTile.Locate(in parameters.Tiling, in parameters.Band);
        int packs = tile.QueryPacks<TScale>(in parameters.Extent);
        for (int pack = 0; pack < packs; pack++)
        {
            TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Dots<TEmbeddingAccess>(
                in parameters.Extent,
                in tile,
                pack,
                in parameters.Query,
                in parameters.Key,
                parameters.Extent.EmbeddingChannels,
                TBorder.OutsideScore<TReal>(),
                weights);

            // Nothing that follows needs it. But PoCL 3.1 gets what comes after a loop with barriers wrong where no
            // barrier comes first.
            Group.Barrier();
            TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Dots<TValueAccess>(
                in parameters.Extent,
                in tile,
                pack,
                in parameters.GradOutput,
                in parameters.Value,
                parameters.Extent.ValueChannels,
                TReal.Zero,
                gradients);
            Group.Barrier();
            TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.NormaliseBackward<TNormalisation>(
                in parameters.Extent,
                in tile,
                pack,
                weightScalars,
                gradientScalars,
                in parameters.Normaliser);
            Group.Barrier();
            if (TBorder.Replicates)
            {
                TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Fold(
                    in parameters.Extent, in tile, pack, weights);
                TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Fold(
                    in parameters.Extent, in tile, pack, gradients);
                Group.Barrier();
            }
            if (parameters.NeedsWeights != 0)
            {
                TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Save<TWeightElement, TReal>(
                    in parameters.Extent, in tile, pack, weightScalars, in parameters.Weights);
            }
            if (parameters.NeedsGradScores != 0)
            {
                TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Save<TWeightElement, TReal>(
                    in parameters.Extent, in tile, pack, gradientScalars, in parameters.GradScores);
            }
            if (parameters.NeedsGradQuery != 0)
            {
                TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Sums<TEmbeddingAccess>(
                    in parameters.Extent,
                    in tile,
                    pack,
                    gradients,
                    in parameters.Key,
                    parameters.Extent.EmbeddingChannels,
                    in parameters.GradQuery);
            }
            Group.Barrier();
        }
    }
}
