using System.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Numerics;

/// <summary>The logistic function 1/(1 + exp(−x)), which neither overflows nor loses its digits at the far ends.</summary>
public static class Sigmoid
{
    /// <summary>Computes it.</summary>
    public static TAccumulator Of<TElement, TStorage, TAccumulator>(TAccumulator value)
        where TElement : struct, IElement<TStorage, TAccumulator>
        where TStorage : unmanaged
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    {
        bool negative = value < TAccumulator.Zero;
        var power = TElement.Exp(negative ? value : -value);
        var small = power / (TAccumulator.One + power);
        return negative ? small : TAccumulator.One - small;
    }
}
