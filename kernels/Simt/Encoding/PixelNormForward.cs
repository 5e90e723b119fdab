using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>x·r, times the weight of the channel.</summary>
internal readonly struct PixelNormForward<TElement, TStorage, TReal>
    : IMapProgram<PixelNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in PixelNormParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in PixelNormParameters<TStorage, TReal> parameters) => 4;

    public static void Apply(in PixelNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        var reciprocal = parameters.Statistics.Data[parameters.Statistics.Offset(at.Image, 0, at.Row, at.Column)];
        var value = TElement.Load(parameters.Input.Data[at.In(in parameters.Input)]) * reciprocal;
        if (parameters.HasWeight != 0)
            value *= parameters.Weight.Data[parameters.Weight.Offset(0, at.Channel, 0, 0)];
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(value);
    }
}
