using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Halves in lanes of 32 bits. Widening puts exponent and mantissa of the half in their place of a single and
/// multiplies by 2¹¹², which is exact for subnormal halves too. Rounding adds a magic number in whose last place the
/// half's last bit lies (for a half of exponent e, 2¹³ times its power of two), so that the addition rounds as the half
/// has to, subnormal or not; the sum then holds the mantissa in its own last bits. Vectors of 512 bits keep the sign on
/// the way, for AVX-512 compares magnitudes and replaces NaN in one instruction each.
/// </summary>
internal static class HalfVectors
{
    // Sign, exponent and mantissa of a half that was shifted to the place of a single's.
    private const int Placed = unchecked((int)0x8FFFE000);

    // 2¹¹², the difference of the exponent biases.
    private const float Scale = 5.1922969e33f;

    // 2¹⁶: every finite half is below, also before it is rounded; shifted and scaled, infinity and NaN are not.
    private const float Overflow = 65536f;

    private const float SmallestNormal = 6.1035156e-5f;

    // To the exponent of the magic number; the bit below makes the half's exponent come out without a bias.
    private const uint Magic = (13u << 23) + MagicBit;
    private const uint MagicBit = 0x800u;
    private const float MagicScale = 8192f;

    private const uint NaN = 0x7E00u;

    private const uint SignAndExponent = 0x80000000u | NarrowFloat.Infinity;

    private const uint WithoutSign = 0x7FFFu;

    // Of Avx512DQ.Range: the operand of smaller or larger magnitude, with the first one's sign. NaN loses to a number.
    private const byte SmallerMagnitude = 0b0010;
    private const byte LargerMagnitude = 0b0011;

    // Of Avx512F.Fixup: quiet and signalling NaN become 0xFFC00000, everything else stays.
    private const int DefaultNaN = 0x33;

    /// <summary>Widens halves, given with their sign extended and shifted to the left by 13 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(Vector512<int> placed)
    {
        var value = (placed & Vector512.Create(Placed)).AsSingle() * Scale;
        var isSpecial = Vector512.GreaterThanOrEqual(Vector512.Abs(value), Vector512.Create(Overflow));
        // One instruction with a mask, which the narrower vectors may not have.
        return Vector512.ConditionalSelect(isSpecial, value | Vector512.Create(float.PositiveInfinity), value);
    }

    /// <inheritdoc cref="Widen(Vector512{int})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Widen(Vector256<int> placed)
    {
        var value = (placed & Vector256.Create(Placed)).AsSingle() * Scale;
        var isSpecial = Vector256.GreaterThanOrEqual(Vector256.Abs(value), Vector256.Create(Overflow));
        return value | (isSpecial & Vector256.Create(float.PositiveInfinity));
    }

    /// <inheritdoc cref="Widen(Vector512{int})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Widen(Vector128<int> placed)
    {
        var value = (placed & Vector128.Create(Placed)).AsSingle() * Scale;
        var isSpecial = Vector128.GreaterThanOrEqual(Vector128.Abs(value), Vector128.Create(Overflow));
        return value | (isSpecial & Vector128.Create(float.PositiveInfinity));
    }

    /// <summary>Rounds to halves, in the lower 16 bits of each lane; those above mean nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Round(Vector512<float> value)
    {
        if (!Avx512DQ.IsSupported)
            return Vector512.Create(Round(value.GetLower()), Round(value.GetUpper()));
        var sum = Sum(value);
        return Vector512.ConditionalSelect(Vector512.Create(WithoutSign), sum + (sum >> 13), sum >> 16);
    }

    /// <summary>Rounds to halves, one vector behind the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ushort> Join(Vector512<float> first, Vector512<float> second)
    {
        if (!Avx512BW.IsSupported)
            return Vector512.Narrow(Round(first), Round(second));
        var a = Sum(first).AsUInt16();
        var b = Sum(second).AsUInt16();
        return FromSums(
            Avx512BW.PermuteVar32x16x2(a, Vector512.CreateSequence<ushort>(0, 2), b),
            Avx512BW.PermuteVar32x16x2(a, Vector512.CreateSequence<ushort>(1, 2), b));
    }

    /// <summary>Rounds to halves, the lanes of both in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ushort> Zip(Vector512<float> even, Vector512<float> odd)
    {
        var lower = Vector512.Create(0xFFFFu);
        if (!Avx512BW.IsSupported)
            return Vector512.ConditionalSelect(lower, Round(even), Round(odd) << 16).AsUInt16();
        var a = Sum(even);
        var b = Sum(odd);
        return FromSums(
            Vector512.ConditionalSelect(lower, a, b << 16).AsUInt16(),
            Vector512.ConditionalSelect(lower, a >> 16, b).AsUInt16());
    }

    // The value plus its magic number, both with the value's sign.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Sum(Vector512<float> value)
    {
        var clamped = Avx512DQ.Range(value, Vector512.Create(Overflow), SmallerMagnitude);
        var exponent = Avx512DQ.Range(clamped, Vector512.Create(SmallestNormal), LargerMagnitude).AsUInt32()
            & Vector512.Create(SignAndExponent);
        var sum = Vector512.FusedMultiplyAdd(
            (exponent | Vector512.Create(MagicBit)).AsSingle(), Vector512.Create(MagicScale), clamped);
        return Avx512F.Fixup(sum, value, Vector512.Create(DefaultNaN), 0).AsUInt32();
    }

    // Mantissas from the lower halves of sums, exponents and signs from the upper ones.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ushort> FromSums(Vector512<ushort> lower, Vector512<ushort> upper) =>
        Vector512.ConditionalSelect(Vector512.Create((ushort)WithoutSign), lower + (upper << 3), upper);

    /// <inheritdoc cref="Round(Vector512{float})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Round(Vector256<float> value)
    {
        var magnitude = Vector256.MinNative(Vector256.Abs(value), Vector256.Create(Overflow));
        var exponent = Vector256.MaxNative(magnitude, Vector256.Create(SmallestNormal)).AsUInt32()
            & Vector256.Create(NarrowFloat.Infinity);
        var sum = (magnitude + (exponent + Vector256.Create(Magic)).AsSingle()).AsUInt32();
        var half = Vector256.ConditionalSelect(
            Vector256.IsNaN(value).AsUInt32(), Vector256.Create(NaN), sum + (sum >> 13));
        return Vector256.ConditionalSelect(Vector256.Create(WithoutSign), half, value.AsUInt32() >> 16);
    }

    /// <inheritdoc cref="Round(Vector512{float})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Round(Vector128<float> value)
    {
        var magnitude = Vector128.MinNative(Vector128.Abs(value), Vector128.Create(Overflow));
        var exponent = Vector128.MaxNative(magnitude, Vector128.Create(SmallestNormal)).AsUInt32()
            & Vector128.Create(NarrowFloat.Infinity);
        var sum = (magnitude + (exponent + Vector128.Create(Magic)).AsSingle()).AsUInt32();
        var half = Vector128.ConditionalSelect(
            Vector128.IsNaN(value).AsUInt32(), Vector128.Create(NaN), sum + (sum >> 13));
        return Vector128.ConditionalSelect(Vector128.Create(WithoutSign), half, value.AsUInt32() >> 16);
    }
}
