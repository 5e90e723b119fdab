using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Sums over a row of the gradient of the weight, g·x·r.</summary>
internal readonly struct PixelNormWeightSums<TElement, TStorage, TReal>
    : IMapProgram<PixelNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in PixelNormParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Sums, parameters.Batch, parameters.Channels, parameters.Height, 1);

    public static double OperationsPerValue(in PixelNormParameters<TStorage, TReal> parameters) => 4.0 * parameters.Width;

    public static void Apply(in PixelNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        var sum = TReal.Zero;
        for (int column = 0; column < parameters.Width; column++)
        {
            var place = at;
            place.Column = column;
            sum += TElement.Load(parameters.Gradient.Data[place.In(in parameters.Gradient)])
                * TElement.Load(parameters.Input.Data[place.In(in parameters.Input)])
                * parameters.Statistics.Data[parameters.Statistics.Offset(at.Image, 0, at.Row, column)];
        }
        parameters.Sums.Data[at.In(in parameters.Sums)] = sum;
    }
}
