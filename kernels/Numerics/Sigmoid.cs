using System.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Numerics;

/// <summary>
/// The logistic function 1/(1 + exp(−x)), which neither overflows nor loses its digits at the far ends.
/// </summary>
internal static class Sigmoid
{
    /// <summary>Computes it.</summary>
    public static TReal Of<TElement, TStorage, TReal>(TReal value)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        bool negative = value < TReal.Zero;
        var unnormalised = TElement.Exp(negative ? value : -value);
        var small = unnormalised / (TReal.One + unnormalised);
        return negative ? small : TReal.One - small;
    }
}
