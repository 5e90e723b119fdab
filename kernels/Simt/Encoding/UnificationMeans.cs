using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Σ p·g over o' of every c'.</summary>
internal readonly struct UnificationMeans<TElement, TStorage, TReal>
    : IMapProgram<UnificationParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in UnificationParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Means, 1, parameters.Channels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in UnificationParameters<TStorage, TReal> parameters) => 24.0 * parameters.Kernels;

    public static void Apply(in UnificationParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        var sum = TReal.Zero;
        for (int kernel = 0; kernel < parameters.Kernels; kernel++)
        {
            sum += UnificationNormalisers<TElement, TStorage, TReal>.Weight(in parameters, kernel, in at)
                * TElement.Load(parameters.Gradient.Data[parameters.Gradient.Offset(0, kernel, at.Row, at.Column)]);
        }
        parameters.Means.Data[at.In(in parameters.Means)] = sum;
    }
}
