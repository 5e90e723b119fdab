using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Reassembly with given weights; mapping and tiles as in the fused forward. Traffic: every operand once.</summary>
public readonly struct WindowReassembly<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder, TAccess>
    : IKernel<WindowReassemblyParameters<TStorage>>
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
    public static long GroupCount(in WindowReassemblyParameters<TStorage> parameters) =>
        parameters.Tiling.Count(parameters.Band.Images);

    /// <inheritdoc/>
    public static void Execute(in WindowReassemblyParameters<TStorage> parameters)
    {
        var weights = SharedMemory.Allocate<Pack4<TAccumulator>>(TElement.SharedCapacity / 4).AsAligned(16);
        var tile = CellTile.Locate(in parameters.Tiling, in parameters.Band);
        int quads = tile.Quads<TScale>(in parameters.Extent);
        for (int quad = 0; quad < quads; quad++)
        {
            TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Restore(
                in parameters.Extent, in tile, quad, in parameters.Weights, weights.Cast<TAccumulator>());
            Group.Barrier();
            if (TBorder.Replicates)
            {
                TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Fold(
                    in parameters.Extent, in tile, quad, weights);
                Group.Barrier();
            }
            TileSteps<TElement, TStorage, TAccumulator, TWindow, TScale, TBorder>.Sums<TAccess>(
                in parameters.Extent,
                in tile,
                quad,
                weights,
                in parameters.Value,
                parameters.Extent.ValueChannels,
                in parameters.Output);
            Group.Barrier();
        }
    }
}
