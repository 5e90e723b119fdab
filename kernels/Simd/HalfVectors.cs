using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Halves in lanes of 32 bits. Widening puts exponent and mantissa of the half in their place of a single and multiplies by
/// 2¹¹², which is exact for subnormal halves too. Rounding adds a magic number in whose last place the half's last bit lies
/// (for a half of exponent e, 2¹³ times its power of two), so that the addition rounds as the half has to, subnormal or not;
/// the sum then holds the mantissa in its own last bits.
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
    private const uint Magic = (13u << 23) + 0x800u;

    private const uint NaN = 0x7E00u;

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
        var magnitude = Vector512.MinNative(Vector512.Abs(value), Vector512.Create(Overflow));
        var exponent = Vector512.MaxNative(magnitude, Vector512.Create(SmallestNormal)).AsUInt32()
            & Vector512.Create(NarrowFloat.Infinity);
        var sum = (magnitude + (exponent + Vector512.Create(Magic)).AsSingle()).AsUInt32();
        var half = Vector512.ConditionalSelect(
            Vector512.IsNaN(value).AsUInt32(), Vector512.Create(NaN), sum + (sum >> 13));
        return Vector512.ConditionalSelect(Vector512.Create(0x7FFFu), half, value.AsUInt32() >> 16);
    }

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
        return Vector256.ConditionalSelect(Vector256.Create(0x7FFFu), half, value.AsUInt32() >> 16);
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
        return Vector128.ConditionalSelect(Vector128.Create(0x7FFFu), half, value.AsUInt32() >> 16);
    }
}
