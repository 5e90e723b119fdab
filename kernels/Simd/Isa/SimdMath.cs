using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The exponential on vectors: <see cref="SingleMath.Exp"/> and <see cref="DoubleMath.Exp"/>, lane by lane.
/// </summary>
internal static class SimdMath<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged
    where TVector : struct
{
    /// <summary>The exponential of values of at most 88; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp(TVector value) =>
        typeof(TReal) == typeof(double)
            ? Exp(value, DoubleMath.Log2E, DoubleMath.Ln2High, DoubleMath.Ln2Low, DoubleMath.ExpUnderflow)
            : Exp(value, SingleMath.Log2E, SingleMath.Ln2High, SingleMath.Ln2Low, SingleMath.ExpUnderflow);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Exp(TVector value, double log2E, double ln2High, double ln2Low, double underflow)
    {
        var unnormalised = TSimd.Floor(TSimd.MultiplyAdd(value, TSimd.Constant(log2E), TSimd.Constant(0.5)));
        var r = TSimd.MultiplyAdd(unnormalised, TSimd.Constant(-ln2High), value);
        r = TSimd.MultiplyAdd(unnormalised, TSimd.Constant(-ln2Low), r);
        TVector series;
        if (typeof(TReal) == typeof(double))
        {
            series = TSimd.Constant(1.0 / 6227020800.0);
            series = TSimd.MultiplyAdd(series, r, TSimd.Constant(1.0 / 479001600.0));
            series = TSimd.MultiplyAdd(series, r, TSimd.Constant(1.0 / 39916800.0));
            series = TSimd.MultiplyAdd(series, r, TSimd.Constant(1.0 / 3628800.0));
            series = TSimd.MultiplyAdd(series, r, TSimd.Constant(1.0 / 362880.0));
            series = TSimd.MultiplyAdd(series, r, TSimd.Constant(1.0 / 40320.0));
            series = TSimd.MultiplyAdd(series, r, TSimd.Constant(1.0 / 5040.0));
        }
        else
        {
            series = TSimd.Constant(1.0 / 5040.0);
        }
        series = TSimd.MultiplyAdd(series, r, TSimd.Constant(1.0 / 720.0));
        series = TSimd.MultiplyAdd(series, r, TSimd.Constant(1.0 / 120.0));
        series = TSimd.MultiplyAdd(series, r, TSimd.Constant(1.0 / 24.0));
        series = TSimd.MultiplyAdd(series, r, TSimd.Constant(1.0 / 6.0));
        series = TSimd.MultiplyAdd(series, r, TSimd.Constant(0.5));
        series = TSimd.MultiplyAdd(series, r, TSimd.Constant(1.0));
        series = TSimd.MultiplyAdd(series, r, TSimd.Constant(1.0));
        return TSimd.ZeroWhereBelow(
            value, TSimd.Constant(underflow), TSimd.Multiply(series, TSimd.PowerOfTwo(unnormalised)));
    }
}
