using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Of every row of every channel, the sum of the gradient and that of its product with the normalised features.
/// </summary>
internal readonly struct RowGradientSums<TElement, TStorage, TReal>
    : IMapProgram<FeatureNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TReal> parameters) =>
        RowSums<TElement, TStorage, TReal>.Extent(in parameters);

    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TReal> parameters) =>
        8.0 * parameters.Extent.Width;

    public static void Apply(in FeatureNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        var place = at;
        var sum = TReal.Zero;
        var product = TReal.Zero;
        for (int column = 0; column < parameters.Extent.Width; column++)
        {
            place.Column = column;
            var gradient = TElement.Load(parameters.Gradient.Data[place.In(in parameters.Gradient)]);
            sum += gradient;
            product += gradient
                * FeatureNormForward<TElement, TStorage, TReal>.Normalised(in parameters, in place);
        }
        long result = parameters.RowSums.Offset(at.Image, 2 * at.Channel, at.Row, 0);
        parameters.RowSums.Data[result] = sum;
        parameters.RowSums.Data[result + parameters.RowSums.ChannelStride] = product;
    }
}
