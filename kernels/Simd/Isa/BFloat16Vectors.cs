using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SapaGpu.Kernels.Simd;

/// <summary>bfloat16 in lanes of 32 bits: the upper half of a single.</summary>
internal static class BFloat16Vectors
{
    // Just under half of the last place that stays.
    private const uint AlmostHalf = 0x7FFFu;

    // Makes a NaN quiet, whose upper mantissa alone may be zero.
    private const uint Quiet = 0x400000u;

    /// <summary>Rounds, in the upper 16 bits of each lane; those below mean nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Round(Vector512<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = bits + Vector512.Create(AlmostHalf) + ((bits >> 16) & Vector512.Create(1u));
        return Vector512.ConditionalSelect(
            Vector512.IsNaN(value).AsUInt32(), bits | Vector512.Create(Quiet), rounded);
    }

    /// <inheritdoc cref="Round(Vector512{float})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Round(Vector256<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = bits + Vector256.Create(AlmostHalf) + ((bits >> 16) & Vector256.Create(1u));
        return Vector256.ConditionalSelect(
            Vector256.IsNaN(value).AsUInt32(), bits | Vector256.Create(Quiet), rounded);
    }

    /// <inheritdoc cref="Round(Vector512{float})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Round(Vector128<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = bits + Vector128.Create(AlmostHalf) + ((bits >> 16) & Vector128.Create(1u));
        return Vector128.ConditionalSelect(
            Vector128.IsNaN(value).AsUInt32(), bits | Vector128.Create(Quiet), rounded);
    }
}
