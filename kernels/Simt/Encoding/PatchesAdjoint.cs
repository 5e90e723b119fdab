using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The gradient of a pixel from the patches that it is part of.</summary>
internal readonly struct PatchesAdjoint<TElement, TStorage, TReal>
    : IMapProgram<PatchParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in PatchParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Image, 1, parameters.Channels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in PatchParameters<TStorage> parameters) => 8.0 * parameters.Window * parameters.Window;

    public static void Apply(in PatchParameters<TStorage> parameters, in MapPosition at)
    {
        int window = parameters.Window;
        var total = TReal.Zero;
        for (int tap = 0; tap < window * window; tap++)
        {
            int row = at.Row - (tap / window - window / 2);
            int column = at.Column - (tap % window - window / 2);
            if (row < 0 || row >= parameters.Height || column < 0 || column >= parameters.Width)
                continue;
            int taps = PatchTaps.OnMap(row, parameters.Height, window)
                * PatchTaps.OnMap(column, parameters.Width, window);
            total += TElement.Load(parameters.Patches.Data[parameters.Patches.Offset(at.Channel, tap, row, column)])
                / TElement.FromCount(taps);
        }
        parameters.Image.Data[at.In(in parameters.Image)] = TElement.Store(total);
    }
}
