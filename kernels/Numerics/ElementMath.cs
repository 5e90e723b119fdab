using ILGPU;
using ILGPU.Util;

namespace SapaGpu.Kernels.Numerics;

/// <summary>
/// Exponential and logarithm written in plain arithmetic, so that every backend computes the same function to the
/// last bits: the hardware approximations of the backends differ, and none of them reaches double precision.
/// </summary>
/// <remarks>
/// exp(x) = 2ⁿ·exp(r) with n = round(x·log₂e) and |r| ≤ ln(2)/2, exp(r) by its Taylor series of degree 7. The constant
/// ln(2) is split in two so that n·ln(2) is subtracted without rounding error.
/// </remarks>
internal static class SingleMath
{
    /// <summary>Below this argument the exponential is no normal number any more and is taken as 0.</summary>
    public const float ExpUnderflow = -87f;

    internal const float Log2E = 1.44269504f;
    internal const float Ln2High = 0.693359375f;
    internal const float Ln2Low = -2.12194440e-4f;

    /// <summary>The exponential of a value of at most 88; NaN stays NaN.</summary>
    public static float Exp(float value)
    {
        float unnormalised = MathF.Floor(value * Log2E + 0.5f);
        float r = value - unnormalised * Ln2High - unnormalised * Ln2Low;
        float series = 1f / 5040f;
        series = series * r + 1f / 720f;
        series = series * r + 1f / 120f;
        series = series * r + 1f / 24f;
        series = series * r + 1f / 6f;
        series = series * r + 0.5f;
        series = series * r + 1f;
        series = series * r + 1f;
        float result = series * Interop.IntAsFloat((uint)((int)unnormalised + 127) << 23);
        return Utilities.Select(value < ExpUnderflow, 0f, result);
    }

    /// <summary>Whether a value is −0, which is equal to 0.</summary>
    public static bool IsNegativeZero(float value) => Interop.FloatAsInt(value) == 0x80000000u;

    /// <summary>
    /// The natural logarithm of a normal positive value: a linear guess from exponent and mantissa, then two steps of
    /// Halley's iteration on exp(y) = value, each of which triples the correct digits.
    /// </summary>
    public static float Log(float value)
    {
        uint bits = Interop.FloatAsInt(value);
        int exponent = (int)(bits >> 23) - 127;
        float mantissa = Interop.IntAsFloat((bits & 0x7FFFFFu) | 0x3F800000u);
        float result = (exponent + (mantissa - 1f)) * 0.693147181f;
        for (int step = 0; step < 2; step++)
        {
            float reached = Exp(result);
            result += 2f * (value - reached) / (value + reached);
        }
        return result;
    }

    /// <summary>The sine of an angle of at most some thousand radians.</summary>
    public static float Sin(float value) => Wave(value, 0);

    /// <summary>The cosine of an angle of at most some thousand radians.</summary>
    public static float Cos(float value) => Wave(value, 1);

    // The sine of an angle and a number of quarter turns, from Taylor series between -45 and 45 degrees. π/2 is split in
    // three so that whole quarter turns are subtracted with little rounding error.
    private static float Wave(float value, int quarters)
    {
        float turns = MathF.Floor(value * 0.636619772f + 0.5f);
        float r = value - turns * 1.5703125f - turns * 4.837512969970703125e-4f - turns * 7.54978995489188216e-8f;
        int quadrant = ((int)turns + quarters) & 3;
        float result = (quadrant & 1) == 0 ? SineNearZero(r) : CosineNearZero(r);
        return (quadrant & 2) == 0 ? result : -result;
    }

    private static float SineNearZero(float value)
    {
        float square = value * value;
        float series = 1f / 362880f;
        series = series * square - 1f / 5040f;
        series = series * square + 1f / 120f;
        series = series * square - 1f / 6f;
        series = series * square + 1f;
        return series * value;
    }

    private static float CosineNearZero(float value)
    {
        float square = value * value;
        float series = -1f / 3628800f;
        series = series * square + 1f / 40320f;
        series = series * square - 1f / 720f;
        series = series * square + 1f / 24f;
        series = series * square - 1f / 2f;
        series = series * square + 1f;
        return series;
    }
}

/// <summary>The double-precision counterpart of <see cref="SingleMath"/>, with a Taylor series of degree 13.</summary>
internal static class DoubleMath
{
    /// <summary>Below this argument the exponential is no normal number any more and is taken as 0.</summary>
    public const double ExpUnderflow = -708.0;

    internal const double Log2E = 1.4426950408889634;
    internal const double Ln2High = 0.693147180369123816490;
    internal const double Ln2Low = 1.90821492927058770002e-10;

    /// <summary>The exponential of a value of at most 709; NaN stays NaN.</summary>
    public static double Exp(double value)
    {
        if (value < ExpUnderflow)
            return 0.0;
        double unnormalised = Math.Floor(value * Log2E + 0.5);
        double r = value - unnormalised * Ln2High - unnormalised * Ln2Low;
        double series = 1.0 / 6227020800.0;
        series = series * r + 1.0 / 479001600.0;
        series = series * r + 1.0 / 39916800.0;
        series = series * r + 1.0 / 3628800.0;
        series = series * r + 1.0 / 362880.0;
        series = series * r + 1.0 / 40320.0;
        series = series * r + 1.0 / 5040.0;
        series = series * r + 1.0 / 720.0;
        series = series * r + 1.0 / 120.0;
        series = series * r + 1.0 / 24.0;
        series = series * r + 1.0 / 6.0;
        series = series * r + 0.5;
        series = series * r + 1.0;
        series = series * r + 1.0;
        return series * Interop.IntAsFloat((ulong)((long)unnormalised + 1023) << 52);
    }

    /// <summary>Whether a value is −0, which is equal to 0.</summary>
    public static bool IsNegativeZero(double value) => Interop.FloatAsInt(value) == 0x8000000000000000ul;

    /// <summary>The natural logarithm of a normal positive value; see <see cref="SingleMath.Log"/>.</summary>
    public static double Log(double value)
    {
        ulong bits = Interop.FloatAsInt(value);
        int exponent = (int)(bits >> 52) - 1023;
        double mantissa = Interop.IntAsFloat((bits & 0xFFFFFFFFFFFFFul) | 0x3FF0000000000000ul);
        double result = (exponent + (mantissa - 1.0)) * 0.6931471805599453;
        for (int step = 0; step < 3; step++)
        {
            double reached = Exp(result);
            result += 2.0 * (value - reached) / (value + reached);
        }
        return result;
    }

    /// <summary>The sine of an angle of at most some thousand radians.</summary>
    public static double Sin(double value) => Wave(value, 0);

    /// <summary>The cosine of an angle of at most some thousand radians.</summary>
    public static double Cos(double value) => Wave(value, 1);

    // The sine of an angle and a number of quarter turns, from Taylor series between -45 and 45 degrees. π/2 is split in
    // three so that whole quarter turns are subtracted with little rounding error.
    private static double Wave(double value, int quarters)
    {
        double turns = Math.Floor(value * 0.63661977236758134308 + 0.5);
        double r = value - turns * 1.57079625129699707031 - turns * 7.54978941586159635336e-8
            - turns * 5.39030285815811905290e-15;
        int quadrant = ((int)turns + quarters) & 3;
        double result = (quadrant & 1) == 0 ? SineNearZero(r) : CosineNearZero(r);
        return (quadrant & 2) == 0 ? result : -result;
    }

    private static double SineNearZero(double value)
    {
        double square = value * value;
        double series = 1.0 / 355687428096000.0;
        series = series * square - 1.0 / 1307674368000.0;
        series = series * square + 1.0 / 6227020800.0;
        series = series * square - 1.0 / 39916800.0;
        series = series * square + 1.0 / 362880.0;
        series = series * square - 1.0 / 5040.0;
        series = series * square + 1.0 / 120.0;
        series = series * square - 1.0 / 6.0;
        series = series * square + 1.0;
        return series * value;
    }

    private static double CosineNearZero(double value)
    {
        double square = value * value;
        double series = 1.0 / 20922789888000.0;
        series = series * square - 1.0 / 87178291200.0;
        series = series * square + 1.0 / 479001600.0;
        series = series * square - 1.0 / 3628800.0;
        series = series * square + 1.0 / 40320.0;
        series = series * square - 1.0 / 720.0;
        series = series * square + 1.0 / 24.0;
        series = series * square - 1.0 / 2.0;
        series = series * square + 1.0;
        return series;
    }
}
