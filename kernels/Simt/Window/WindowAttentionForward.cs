using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Fused window attention, forward: similarity, normalisation and reassembly of one tile of cells without leaving the group.
/// </summary>
/// <remarks>
/// A group owns a tile of up to 8×8 cells and works their queries quad by quad, with the scores of a quad in shared
/// memory. Traffic to main memory: query, key and value once, output once; the K² rereads of keys and values within a
/// tile are served by the cache.
/// </remarks>
public readonly struct WindowAttentionForward<
    TElement, TStorage, TAccumulator, TWindow, TScale, TBorder, TNormalisation, TEmbeddingAccess, TValueAccess>
    : IKernel<WindowAttentionParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
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
    public static long GroupCount(in WindowAttentionParameters<TStorage, TAccumulator> parameters) =>
        parameters.Tiling.Count(parameters.Band.Images);

    /// <inheritdoc/>
    public static void Execute(in WindowAttentionParameters<TStorage, TAccumulator> parameters)
    {
        var scores = SharedMemory.Allocate<Pack4<TAccumulator>>(TElement.SharedCapacity / 4).AsAligned(16);
        var partials = SplitDots<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.AllocatePartials();
        var scalars = scores.Cast<TAccumulator>();
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
                scores);
            Group.Barrier();
            TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Normalise<TNormalisation>(
                in parameters.Extent,
                in tile,
                quad,
                scalars,
                in parameters.Normaliser,
                parameters.SaveNormaliser);
            Group.Barrier();
            if (TBorder.Replicates)
            {
                TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Fold(
                    in parameters.Extent, in tile, quad, scores);
                Group.Barrier();
            }
            TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Sums<TValueAccess>(
                in parameters.Extent,
                in tile,
                quad,
                scores,
                in parameters.Value,
                parameters.Extent.ValueChannels,
                in parameters.Output);
            Group.Barrier();
        }
    }
}
