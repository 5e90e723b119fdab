using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Reassembly with given weights; mapping and tiles as in the fused forward. Traffic: every operand once.
/// </summary>
internal readonly struct WindowReassemblyForward<TElement, TStorage, TReal, TWindow, TScale, TBorder, TAccess>
    : IKernel<WindowReassemblyParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWindow : struct, IWindow
    where TScale : struct, IScale
    where TBorder : struct, IBorder
    where TAccess : struct, IChannelAccess
{
    public static int GroupSize => 128;

    public static long GroupCount(in WindowReassemblyParameters<TStorage> parameters) =>
        parameters.Tiling.Count(parameters.Band.Images);

    public static void Execute(in WindowReassemblyParameters<TStorage> parameters)
    {
        var weights = SharedMemory.Allocate<Pack4<TReal>>(TElement.SharedCapacity / 4).AsAligned(16);
        var tile = CellTile.Locate(in parameters.Tiling, in parameters.Band);
        int packs = tile.QueryPacks<TScale>(in parameters.Extent);
        for (int pack = 0; pack < packs; pack++)
        {
            TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Restore(
                in parameters.Extent, in tile, pack, in parameters.Weights, weights.Cast<TReal>());
            Group.Barrier();
            if (TBorder.Replicates)
            {
                TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Fold(
                    in parameters.Extent, in tile, pack, weights);
                Group.Barrier();
            }
            TileSteps<TElement, TStorage, TReal, TWindow, TScale, TBorder>.Sums<TAccess>(
                in parameters.Extent,
                in tile,
                pack,
                weights,
                in parameters.Value,
                parameters.Extent.ValueChannels,
                in parameters.Output);
            Group.Barrier();
        }
    }
}
