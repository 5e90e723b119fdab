using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Local similarity; thread mapping and tiles as in the fused forward. Traffic: query, key and scores once.</summary>
public readonly struct WindowSimilarity<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder, TAccess>
    : IKernel<WindowSimilarityParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    where TWindow : struct, IWindow
    where TScale : struct, IScale
    where TBorder : struct, IBorder
    where TAccess : struct, IChannelAccess
{
    /// <inheritdoc/>
    public static int GroupSize => 128;

    /// <inheritdoc/>
    public static long GroupCount(in WindowSimilarityParameters<TStorage> parameters) =>
        parameters.Tiling.Count(parameters.Band.Images);

    /// <inheritdoc/>
    public static void Execute(in WindowSimilarityParameters<TStorage> parameters)
    {
        var scores = SharedMemory.Allocate<Pack4<TAccumulator>>(TElement.SharedCapacity / 4).AsAligned(16);
        var partials = SplitDots<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.AllocatePartials();
        var tile = CellTile.Locate(in parameters.Tiling, in parameters.Band);
        int quads = tile.Quads<TScale>(in parameters.Extent);
        for (int quad = 0; quad < quads; quad++)
        {
            TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Dots<TAccess>(
                in parameters.Extent,
                in tile,
                quad,
                in parameters.Query,
                in parameters.Key,
                parameters.Extent.EmbeddingChannels,
                TAccumulator.Zero,
                partials,
                scores);
            Group.Barrier();
            TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Save<TElement, TStorage>(
                in parameters.Extent, in tile, quad, scores.Cast<TAccumulator>(), in parameters.Scores);
            Group.Barrier();
        }
    }
}
