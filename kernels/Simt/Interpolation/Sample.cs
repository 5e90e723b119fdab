using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>What interpolation and its adjoint share.</summary>
internal static class Sample
{
    /// <summary>The way from the sample before a place to the one after it.</summary>
    public static TReal Fraction<TElement, TStorage, TReal>(in SamplePosition place)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> =>
        TElement.FromCount(place.Numerator) / TElement.FromCount(place.Denominator);
}
