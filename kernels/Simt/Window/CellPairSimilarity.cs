using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Local similarity for fixed windows; thread mapping as in the fused forward. Traffic: query, key and scores once.
/// </summary>
[RegisterLimit(RegisterLimitAttribute.FourWarpsAQuarter)]
internal readonly struct CellPairSimilarity<TElement, TStorage, TReal, TWindow, TScale, TBorder, TAccess, TProducts>
    : IKernel<WindowSimilarityParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWindow : struct, IWindow
    where TScale : struct, IScale
    where TBorder : struct, IBorder
    where TAccess : struct, IChannelAccess
    where TProducts : struct, ICellPairProducts
{
    public static int GroupSize => TProducts.GroupSize<TWindow>();

    public static long GroupCount(in WindowSimilarityParameters<TStorage> parameters) =>
        CellPair.GroupCount<TAccess>(in parameters.Extent, in parameters.Band);

    public static void Execute(in WindowSimilarityParameters<TStorage> parameters)
    {
        var shared = CellPairShared<TReal>.Allocate<TWindow, TAccess, TProducts>();
        var tile = CellPairTile.Locate<TAccess>(in parameters.Extent, in parameters.Band);
        int packs = CellPair.QueryPacks<TScale>(in parameters.Extent);
        for (int pack = 0; pack < packs; pack++)
        {
            Group.Barrier();
            var key = TileMap<TStorage>.OfCells<TWindow, TBorder, TAccess, TAccess>(
                in parameters.Extent, in tile, in parameters.Key, shared.Cells);
            var query = TileMap<TStorage>.OfQueries<TScale, TAccess, TAccess>(
                in parameters.Extent, in tile, pack, in parameters.Query, shared.Queries);
            CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TAccess, TProducts>
                .Dots<TAccess>(
                    in query, in key, parameters.Extent.EmbeddingChannels, shared.Stage, shared.Weights);
            Group.Barrier();
            CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TAccess, TProducts>
                .SetOutside(
                    in parameters.Extent, in tile, shared.Weights.Cast<TReal>(), TReal.Zero);
            Group.Barrier();
            CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TAccess, TProducts>
                .Save<TScale, TElement, TStorage>(
                    in parameters.Extent, in tile, pack, shared.Weights.Cast<TReal>(), in parameters.Scores);
        }
    }
}
