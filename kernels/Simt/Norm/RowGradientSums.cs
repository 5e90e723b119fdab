using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Of every row of every channel, the sum of the gradient and that of its product with the normalised features.
/// </summary>
public readonly struct RowGradientSums<TElement, TStorage, TAccumulator>
    : IMapProgram<FeatureNormParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        RowSums<TElement, TStorage, TAccumulator>.Extent(in parameters);

    /// <inheritdoc/>
    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        8.0 * parameters.Extent.Width;

    /// <inheritdoc/>
    public static void Apply(in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        var place = at;
        var sum = TAccumulator.Zero;
        var product = TAccumulator.Zero;
        for (int column = 0; column < parameters.Extent.Width; column++)
        {
            place.Column = column;
            var gradient = TElement.Load(parameters.Gradient.Data[place.In(in parameters.Gradient)]);
            sum += gradient;
            product += gradient
                * FeatureNormForward<TElement, TStorage, TAccumulator>.Normalised(in parameters, in place);
        }
        long result = parameters.RowSums.Offset(at.Image, 2 * at.Channel, at.Row, 0);
        parameters.RowSums.Data[result] = sum;
        parameters.RowSums.Data[result + parameters.RowSums.ChannelStride] = product;
    }
}
