using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Fused window attention, forward: similarity, normalisation and reassembly of one tile of cells without leaving the
/// group.
/// </summary>
/// <remarks>
/// A group owns a tile of up to 8×8 cells and works their queries query pack by query pack, with the scores of a query
/// pack in shared memory. Traffic to main memory: query, key and value once, output once; the K² rereads of keys and
/// values within a tile are served by the cache.
/// </remarks>
internal readonly struct WindowAttentionForward<
    TElement, TStorage, TReal, TWindow, TScale, TBorder, TNormalisation, TEmbeddingAccess, TValueAccess>
    : IKernel<WindowAttentionParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWindow : struct, IWindow
    where TScale : struct, IScale
    where TBorder : struct, IBorder
    where TNormalisation : struct, IScoreNormalisation
    where TEmbeddingAccess : struct, IChannelAccess
    where TValueAccess : struct, IChannelAccess
{
    public static int GroupSize => 128;

    public static long GroupCount(in WindowAttentionParameters<TStorage, TReal> parameters) =>
        parameters.Tiling.Count(parameters.Band.Images);

    public static void Execute(in WindowAttentionParameters<TStorage, TReal> parameters)
    {
        var scores = SharedMemory.Allocate<Pack4<TReal>>(TElement.SharedCapacity / 4).AsAligned(16);
        var scalars = scores.Cast<TReal>();
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
                scores);
            Group.Barrier();
            TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Normalise<TNormalisation>(
                in parameters.Extent,
                in tile,
                pack,
                scalars,
                in parameters.Normaliser,
                parameters.SaveNormaliser);
            Group.Barrier();
            if (TBorder.Replicates)
            {
                TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Fold(
                    in parameters.Extent, in tile, pack, scores);
                Group.Barrier();
            }
            TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Sums<TValueAccess>(
                in parameters.Extent,
                in tile,
                pack,
                scores,
                in parameters.Value,
                parameters.Extent.ValueChannels,
                in parameters.Output);
            Group.Barrier();
        }
    }
}
