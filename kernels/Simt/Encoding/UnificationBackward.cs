using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The gradient of a response, p·(g − Σ p·g)/C.</summary>
internal readonly struct UnificationBackward<TElement, TStorage, TReal>
    : IMapProgram<UnificationParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in UnificationParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Channels, parameters.Kernels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in UnificationParameters<TStorage, TReal> parameters) => 30;

    public static void Apply(in UnificationParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        long number = (long)at.Image * parameters.Kernels + at.Channel;
        int kernel = (int)(number / parameters.Channels);
        var place = at;
        place.Image = 0;
        place.Channel = (int)(number - (long)kernel * parameters.Channels);
        var weight = UnificationNormalisers<TElement, TStorage, TReal>.Weight(in parameters, kernel, in place);
        var gradient = TElement.Load(
            parameters.Gradient.Data[parameters.Gradient.Offset(0, kernel, at.Row, at.Column)]);
        var mean = parameters.Means.Data[place.In(in parameters.Means)];
        parameters.Result.Data[at.In(in parameters.Result)] =
            TElement.Store(weight * (gradient - mean) / TElement.FromCount(parameters.Channels));
    }
}
