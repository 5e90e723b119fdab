using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The first backward pass of window attention: per query, weights, gradients of the scores and of the query. The
/// second pass, <see cref="TransposedReassembly{TElement, TStorage, TAccumulator, TWeightElement, TWeight, TWindow,
/// TScale, TAccess}"/>, gathers the gradients of key and value from what this one leaves in the workspace.
/// </summary>
/// <remarks>
/// The thread mapping is that of the forward, with the weights and their gradients side by side in shared memory.
/// Traffic: query, key, value and the gradient of the output once; gradient of the query and workspace once.
/// </remarks>
public readonly struct WindowAttentionBackward<
    TElement, TStorage, TAccumulator, TWeightElement, TWindow, TScale, TBorder, TNormalisation, TEmbeddingAccess,
    TValueAccess>
    : IKernel<WindowAttentionBackwardParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    where TWeightElement : struct, IElement<TAccumulator, TAccumulator>
    where TWindow : struct, IWindow
    where TScale : struct, IScale
    where TBorder : struct, IBorder
    where TNormalisation : struct, INormalisation
    where TEmbeddingAccess : struct, IChannelAccess
    where TValueAccess : struct, IChannelAccess
{
    /// <inheritdoc/>
    public static int GroupSize => 128;

    /// <inheritdoc/>
    public static long GroupCount(in WindowAttentionBackwardParameters<TStorage, TAccumulator> parameters) =>
        parameters.Tiling.Count(parameters.Band.Images);

    /// <inheritdoc/>
    public static void Execute(in WindowAttentionBackwardParameters<TStorage, TAccumulator> parameters)
    {
        var weights = SharedMemory.Allocate<Pack4<TAccumulator>>(TElement.SharedCapacity / 8).AsAligned(16);
        var gradients = SharedMemory.Allocate<Pack4<TAccumulator>>(TElement.SharedCapacity / 8).AsAligned(16);
        var partials = SplitDots<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.AllocatePartials();
        var weightScalars = weights.Cast<TAccumulator>();
        var gradientScalars = gradients.Cast<TAccumulator>();
        var tile = CellTile.Locate(in parameters.Tiling, in parameters.Band);
        int quads = tile.Quads<TScale>(in parameters.Extent);
        for (int quad = 0; quad < quads; quad++)
        {
            TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Dots<TEmbeddingAccess>(
                in parameters.Extent,
                in tile,
                quad,
                in parameters.Query,
                in parameters.Key,
                parameters.Extent.EmbeddingChannels,
                TBorder.OutsideScore<TAccumulator>(),
                partials,
                weights);

            // Nothing that follows needs it. But PoCL 3.1 gets what comes after a loop with barriers wrong where no barrier
            // comes first.
            Group.Barrier();
            TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Dots<TValueAccess>(
                in parameters.Extent,
                in tile,
                quad,
                in parameters.GradOutput,
                in parameters.Value,
                parameters.Extent.ValueChannels,
                TAccumulator.Zero,
                partials,
                gradients);
            Group.Barrier();
            TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.NormaliseBackward<TNormalisation>(
                in parameters.Extent,
                in tile,
                quad,
                weightScalars,
                gradientScalars,
                in parameters.Normaliser);
            Group.Barrier();
            if (TBorder.Replicates)
            {
                TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Fold(
                    in parameters.Extent, in tile, quad, weights);
                TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Fold(
                    in parameters.Extent, in tile, quad, gradients);
                Group.Barrier();
            }
            if (parameters.NeedsWeights != 0)
            {
                TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Save<TWeightElement, TAccumulator>(
                    in parameters.Extent, in tile, quad, weightScalars, in parameters.Weights);
            }
            if (parameters.NeedsGradScores != 0)
            {
                TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Save<TWeightElement, TAccumulator>(
                    in parameters.Extent, in tile, quad, gradientScalars, in parameters.GradScores);
            }
            if (parameters.NeedsGradQuery != 0)
            {
                TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Sums<TEmbeddingAccess>(
                    in parameters.Extent,
                    in tile,
                    quad,
                    gradients,
                    in parameters.Key,
                    parameters.Extent.EmbeddingChannels,
                    in parameters.GradQuery);
            }
            Group.Barrier();
        }
    }
}
