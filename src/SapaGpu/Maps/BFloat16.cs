using System.Globalization;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu;

/// <summary>
/// A number in bfloat16: the upper 16 bits of single precision, with 8 bits of exponent and 7 of mantissa.
/// </summary>
/// <remarks>
/// A storage format; convert to float to compute. Conversions to it round to nearest, ties to even.
/// </remarks>
public readonly struct BFloat16 : IEquatable<BFloat16>
{
    private readonly ushort bits;

    private BFloat16(ushort bits) => this.bits = bits;

    /// <summary>Rounds single precision to bfloat16, to nearest, ties to even.</summary>
    public static explicit operator BFloat16(float value) => new(NarrowFloat.ToBFloat16(value));

    /// <summary>Rounds double precision to bfloat16 in one step, to nearest, ties to even.</summary>
    public static explicit operator BFloat16(double value) => new(NarrowFloat.ToBFloat16(ToOdd(value)));

    /// <summary>Converts to single precision, exactly.</summary>
    public static implicit operator float(BFloat16 value) => NarrowFloat.FromBFloat16(value.bits);

    /// <summary>Returns whether two values are numerically equal; NaN equals nothing.</summary>
    public static bool operator ==(BFloat16 left, BFloat16 right) => (float)left == (float)right;

    /// <summary>Returns whether two values are not numerically equal.</summary>
    public static bool operator !=(BFloat16 left, BFloat16 right) => !(left == right);

    /// <summary>Returns the value with a bit pattern: sign, 8 bits of exponent, 7 of mantissa.</summary>
    public static BFloat16 FromBits(ushort bits) => new(bits);

    /// <summary>Returns the bit pattern.</summary>
    public ushort ToBits() => bits;

    /// <inheritdoc/>
    public bool Equals(BFloat16 other) => ((float)this).Equals((float)other);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ((float)this).GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => ((float)this).ToString(CultureInfo.CurrentCulture);

    // To single precision with rounding to odd; rounding the result to nearest then equals rounding the double once.
    private static float ToOdd(double value)
    {
        float single = (float)value;
        if (single == value || double.IsNaN(value))
            return single;
        uint bits = BitConverter.SingleToUInt32Bits(single);
        if (Math.Abs((double)single) > Math.Abs(value))
            bits--;
        return BitConverter.UInt32BitsToSingle(bits | 1);
    }
}
