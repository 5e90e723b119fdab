using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>A tap of the patch around a pixel, divided by the number of taps on the map; 0 outside.</summary>
internal readonly struct Patches<TElement, TStorage, TReal>
    : IMapProgram<PatchParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in PatchParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Patches,
        parameters.Channels,
        parameters.Window * parameters.Window,
        parameters.Height,
        parameters.Width);

    public static double OperationsPerValue(in PatchParameters<TStorage> parameters) => 10;

    public static void Apply(in PatchParameters<TStorage> parameters, in MapPosition at)
    {
        int window = parameters.Window;
        int row = at.Row + at.Channel / window - window / 2;
        int column = at.Column + at.Channel % window - window / 2;
        var value = TReal.Zero;
        if (row >= 0 && row < parameters.Height && column >= 0 && column < parameters.Width)
        {
            int taps = PatchTaps.OnMap(at.Row, parameters.Height, window)
                * PatchTaps.OnMap(at.Column, parameters.Width, window);
            value = TElement.Load(parameters.Image.Data[parameters.Image.Offset(0, at.Image, row, column)])
                / TElement.FromCount(taps);
        }
        parameters.Patches.Data[at.In(in parameters.Patches)] = TElement.Store(value);
    }
}
