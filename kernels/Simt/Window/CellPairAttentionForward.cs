using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Fused window attention for fixed windows, forward: similarity, normalisation and reassembly of a tile of eight cell
/// pairs without leaving the group.
/// </summary>
/// <remarks>
/// Keys, queries and values of the tile pass through shared memory some channels at a time, converted to the type of
/// the calculations once. Traffic to main memory: query, key and value once, output once; what tiles share is served by
/// the cache.
/// </remarks>
[RegisterLimit(RegisterLimitAttribute.FourWarpsAQuarter)]
internal readonly struct CellPairAttentionForward<
    TElement, TStorage, TReal, TWindow, TScale, TBorder, TNormalisation, TEmbeddingAccess, TValueAccess, TProducts>
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
    where TProducts : struct, ICellPairProducts
{
    public static int GroupSize => TProducts.GroupSize<TWindow>();

    public static long GroupCount(in WindowAttentionParameters<TStorage, TReal> parameters) =>
        CellPair.GroupCount<TValueAccess>(in parameters.Extent, in parameters.Band);

    public static void Execute(in WindowAttentionParameters<TStorage, TReal> parameters)
    {
        var shared = CellPairShared<TReal>.Allocate<TWindow, TValueAccess, TProducts>();
        var tile = CellPairTile.Locate<TValueAccess>(in parameters.Extent, in parameters.Band);
        int packs = CellPair.QueryPacks<TScale>(in parameters.Extent);
        for (int pack = 0; pack < packs; pack++)
        {
            Group.Barrier();
            TProducts.Attend<
                TElement, TStorage, TReal, TWindow, TScale, TBorder, TNormalisation, TEmbeddingAccess, TValueAccess>(
                in parameters, in tile, pack, in shared);
        }
    }
}
