using System.Numerics;
using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>SiLU on vectors.</summary>
internal static class SiluMath<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    /// <summary>x·sigmoid(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward(TVector value) => TSimd.Multiply(value, Sigmoid(value));

    /// <summary>g·s·(1 + x·(1 − s)), s = sigmoid(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward(TVector value, TVector gradient)
    {
        var one = TSimd.Constant(1.0);
        var sigmoid = Sigmoid(value);
        var slope = TSimd.MultiplyAdd(value, TSimd.Subtract(one, sigmoid), one);
        return TSimd.Multiply(gradient, TSimd.Multiply(sigmoid, slope));
    }

    // With the exponential of −|x|, which does not overflow: the numerator is 1 for x ≥ 0 and the exponential below.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Sigmoid(TVector value)
    {
        var zero = TSimd.Constant(0.0);
        var one = TSimd.Constant(1.0);
        var negative = TSimd.Subtract(zero, value);
        var small = SimdMath<TSimd, TStorage, TReal, TVector>.Exp(TSimd.Subtract(zero, TSimd.Max(value, negative)));
        var numerator = TSimd.Add(TSimd.ZeroWhereBelow(value, zero, TSimd.Subtract(one, small)), small);
        return TSimd.Divide(numerator, TSimd.Add(one, small));
    }
}
