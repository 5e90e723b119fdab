using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Local similarity; thread mapping and tiles as in the fused forward. Traffic: query, key and scores once.
/// </summary>
internal readonly struct WindowSimilarityForward<TElement, TStorage, TReal, TWindow, TScale, TBorder, TAccess>
    : IKernel<WindowSimilarityParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWindow : struct, IWindow
    where TScale : struct, IScale
    where TBorder : struct, IBorder
    where TAccess : struct, IChannelAccess
{
    public static int GroupSize => 128;

    public static long GroupCount(in WindowSimilarityParameters<TStorage> parameters) =>
        parameters.Tiling.Count(parameters.Band.Images);

    public static void Execute(in WindowSimilarityParameters<TStorage> parameters)
    {
        var scores = SharedMemory.Allocate<Pack4<TReal>>(TElement.SharedCapacity / 4).AsAligned(16);
        var tile = CellTile.Locate(in parameters.Tiling, in parameters.Band);
        int packs = tile.QueryPacks<TScale>(in parameters.Extent);
        for (int pack = 0; pack < packs; pack++)
        {
            TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Dots<TAccess>(
                in parameters.Extent,
                in tile,
                pack,
                in parameters.Query,
                in parameters.Key,
                parameters.Extent.EmbeddingChannels,
                TReal.Zero,
                scores);
            Group.Barrier();
            TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Save<TElement, TStorage>(
                in parameters.Extent, in tile, pack, scores.Cast<TReal>(), in parameters.Scores);
            Group.Barrier();
        }
    }
}
