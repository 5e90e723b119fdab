using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Policies;

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
    public static TVector Forward(TVector value) => TSimd.Multiply(
        value, SigmoidNormalisation.Unnormalised<TSimd, TStorage, TReal, TVector>(value));

    /// <summary>g·s·(1 + x·(1 − s)), s = sigmoid(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward(TVector value, TVector gradient)
    {
        var one = TSimd.Constant(1.0);
        var sigmoid = SigmoidNormalisation.Unnormalised<TSimd, TStorage, TReal, TVector>(value);
        var slope = TSimd.MultiplyAdd(value, TSimd.Subtract(one, sigmoid), one);
        return TSimd.Multiply(gradient, TSimd.Multiply(sigmoid, slope));
    }
}
