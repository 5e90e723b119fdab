using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Reassembly with given weights for fixed windows; thread mapping as in the fused forward. Traffic: every operand once.
/// </summary>
[RegisterLimit(RegisterLimitAttribute.FourWarpsAQuarter)]
internal readonly struct CellPairReassembly<TElement, TStorage, TReal, TWindow, TScale, TBorder, TAccess, TProducts>
    : IKernel<WindowReassemblyParameters<TStorage>>
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

    public static long GroupCount(in WindowReassemblyParameters<TStorage> parameters) =>
        CellPair.GroupCount<TAccess>(in parameters.Extent, in parameters.Band);

    public static void Execute(in WindowReassemblyParameters<TStorage> parameters)
    {
        var shared = CellPairShared<TReal>.Allocate<TWindow, TAccess, TProducts>();
        var tile = CellPairTile.Locate<TAccess>(in parameters.Extent, in parameters.Band);
        int packs = CellPair.QueryPacks<TScale>(in parameters.Extent);
        for (int pack = 0; pack < packs; pack++)
        {
            Group.Barrier();
            var value = TileMap<TStorage>.OfCells<TWindow, TBorder, TAccess, TAccess>(
                in parameters.Extent, in tile, in parameters.Value, shared.Cells);
            var output = TileMap<TStorage>.OfQueries<TScale, TAccess, TAccess>(
                in parameters.Extent, in tile, pack, in parameters.Output, shared.Queries);
            CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TAccess, TProducts>
                .Restore<TScale>(
                    in parameters.Extent, in tile, pack, in parameters.Weights, shared.Weights.Cast<TReal>());
            Group.Barrier();

            // Taps outside are staged as 0, which an infinite weight would not leave 0.
            CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TAccess, TProducts>
                .SetOutside(
                    in parameters.Extent, in tile, shared.Weights.Cast<TReal>(), TReal.Zero);
            CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TAccess, TProducts>
                .Fold(
                    in parameters.Extent, in tile, shared.Weights.Cast<TReal>());
            CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TAccess, TProducts>
                .Sums<TScale, TAccess>(
                    in value,
                    in output,
                    parameters.Extent.ValueChannels,
                    parameters.OutputByRows,
                    shared.Stage,
                    shared.Weights);
        }
    }
}
