using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The gradient of the features of a group, r·(γ·g − mean(γ·g) − x̂·mean(γ·g·x̂)).</summary>
/// <remarks>
/// Where all features of a group are the same, r is 1/√ε, some hundred times what rounding leaves of γ·g − mean.
/// </remarks>
[RoundedProducts]
internal readonly struct GroupNormBackward<TElement, TStorage, TReal>
    : IMapProgram<FeatureNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TReal> parameters) =>
        FeatureNormForward<TElement, TStorage, TReal>.Extent(in parameters);

    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TReal> parameters) => 16;

    public static void Apply(in FeatureNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        int group = at.Channel / parameters.ChannelsPerGroup;
        long means = parameters.GradientMeans.Offset(at.Image, 2 * group, 0, 0);
        var reciprocal = parameters.Statistics.Data[
            parameters.Statistics.Offset(at.Image, 2 * group + 1, at.Row, at.Column)];
        var gradient = parameters.Weight[at.Channel]
            * TElement.Load(parameters.Gradient.Data[at.In(in parameters.Gradient)]);
        var normalised = FeatureNormForward<TElement, TStorage, TReal>.Normalised(in parameters, in at);
        var value = reciprocal * (gradient - parameters.GradientMeans.Data[means]
            - normalised * parameters.GradientMeans.Data[means + parameters.GradientMeans.ChannelStride]);
        long result = at.In(in parameters.Result);
        if (parameters.Accumulate != 0)
            value += TElement.Load(parameters.Result.Data[result]);
        parameters.Result.Data[result] = TElement.Store(value);
    }
}
