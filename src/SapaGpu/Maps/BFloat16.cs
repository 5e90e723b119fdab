using System.Globalization;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu;

/// <summary>
/// The bfloat16 format: the upper half of single precision, eight bits of exponent and seven of mantissa.
/// </summary>
/// <remarks>
/// It is a storage format; convert to float to compute. Conversion rounds to nearest, and to even between two.
/// </remarks>
public readonly struct BFloat16 : IEquatable<BFloat16>
{
    private readonly ushort bits;

    private BFloat16(ushort bits) => this.bits = bits;

    /// <summary>Rounds to the format.</summary>
    public static explicit operator BFloat16(float value) => new(NarrowFloat.ToBFloat16(value));

    /// <summary>Rounds to the format.</summary>
    public static explicit operator BFloat16(double value) => new(NarrowFloat.ToBFloat16(ToOdd(value)));

    /// <summary>Widens.</summary>
    public static implicit operator float(BFloat16 value) => NarrowFloat.FromBFloat16(value.bits);

    /// <summary>Whether two values are numerically equal.</summary>
    public static bool operator ==(BFloat16 left, BFloat16 right) => (float)left == (float)right;

    /// <summary>Whether two values are not numerically equal.</summary>
    public static bool operator !=(BFloat16 left, BFloat16 right) => !(left == right);

    /// <summary>The value with given bits.</summary>
    public static BFloat16 FromBits(ushort bits) => new(bits);

    /// <summary>Gets the bits.</summary>
    public ushort ToBits() => bits;

    /// <inheritdoc/>
    public bool Equals(BFloat16 other) => ((float)this).Equals((float)other);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ((float)this).GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => ((float)this).ToString(CultureInfo.CurrentCulture);

    // To single precision with rounding to odd; what is rounded from there to nearest is as if rounded once.
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
