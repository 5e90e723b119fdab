using ILGPU;

namespace SapaGpu.Kernels.Numerics;

/// <summary>
/// Conversion of the 16-bit floating-point formats, in integer arithmetic, to nearest and to even where two are equally
/// near. Values too large become infinite; NaN stays NaN.
/// </summary>
internal static class NarrowFloat
{
    internal const uint Infinity = 0x7F800000;
    private const uint Magnitude = 0x7FFFFFFF;

    /// <summary>The smallest single that rounds to infinity as a half.</summary>
    private const uint HalfOverflow = 0x477FF000;

    /// <summary>The smallest single that is a normal number as a half, 2⁻¹⁴.</summary>
    private const uint HalfNormal = 0x38800000;

    /// <summary>The difference of the exponent biases, 127 − 15, in the place of a half's exponent.</summary>
    private const uint HalfBias = 112u << 10;

    private const float HalfSubnormalUnit = 5.9604645e-8f;

    /// <summary>Widens the bits of a half.</summary>
    public static float FromHalf(ushort half)
    {
        uint magnitude = half & 0x7FFFu;
        uint sign = (half & 0x8000u) << 16;
        if (magnitude < 0x400u)
            return Interop.IntAsFloat(Interop.FloatAsInt((int)magnitude * HalfSubnormalUnit) | sign);
        uint bits = magnitude >= 0x7C00u ? (magnitude << 13) | Infinity : (magnitude + HalfBias) << 13;
        return Interop.IntAsFloat(bits | sign);
    }

    /// <summary>Rounds to the bits of a half.</summary>
    public static ushort ToHalf(float value)
    {
        uint bits = Interop.FloatAsInt(value);
        uint magnitude = bits & Magnitude;
        uint half;
        if (magnitude >= HalfOverflow)
            half = magnitude > Infinity ? 0x7E00u : 0x7C00u;
        else if (magnitude < HalfNormal)
            half = Interop.FloatAsInt(Interop.IntAsFloat(magnitude) + 0.5f) - 0x3F000000u;
        else
            half = ((magnitude + 0xFFFu + ((magnitude >> 13) & 1u)) >> 13) - HalfBias;
        return (ushort)(half | ((bits >> 16) & 0x8000u));
    }

    /// <summary>Widens the bits of a bfloat16.</summary>
    public static float FromBFloat16(ushort value) => Interop.IntAsFloat((uint)value << 16);

    /// <summary>Rounds to the bits of a bfloat16.</summary>
    public static ushort ToBFloat16(float value)
    {
        uint bits = Interop.FloatAsInt(value);
        if ((bits & Magnitude) > Infinity)
            return (ushort)((bits >> 16) | 0x40u);
        return (ushort)((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
    }
}
