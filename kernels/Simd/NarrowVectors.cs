using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// <see cref="NarrowFloat"/> on vectors: the 16-bit formats to and from lanes of single precision. Which format is told by
/// the element type.
/// </summary>
internal static unsafe class NarrowVectors
{
    /// <summary>Widens as many values as the vector has lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TElement, TVector>(ushort* source)
        where TVector : struct
    {
        if (typeof(TVector) == typeof(Vector512<float>))
            return (TVector)(object)Load512<TElement>(source);
        if (typeof(TVector) == typeof(Vector256<float>))
            return (TVector)(object)Load256<TElement>(source);
        return (TVector)(object)Load128<TElement>(source);
    }

    /// <summary>Rounds and writes a vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TElement, TVector>(ushort* destination, TVector value)
        where TVector : struct
    {
        if (typeof(TVector) == typeof(Vector512<float>))
            Round512<TElement>((Vector512<float>)(object)value).Store(destination);
        else if (typeof(TVector) == typeof(Vector256<float>))
            Round256<TElement>((Vector256<float>)(object)value).Store(destination);
        else
            Round128<TElement>((Vector128<float>)(object)value).Store(destination);
    }

    /// <summary>Rounds a vector and writes it to an aligned place past the caches.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Stream<TElement, TVector>(ushort* destination, TVector value)
        where TVector : struct
    {
        if (typeof(TVector) == typeof(Vector512<float>))
            Round512<TElement>((Vector512<float>)(object)value).StoreAlignedNonTemporal(destination);
        else if (typeof(TVector) == typeof(Vector256<float>))
            Round256<TElement>((Vector256<float>)(object)value).StoreAlignedNonTemporal(destination);
        else
            Store<TElement, TVector>(destination, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Load512<TElement>(ushort* source)
    {
        var wide = Vector512.WidenLower(Vector256.Load(source).ToVector512Unsafe());
        if (typeof(TElement) == typeof(BFloat16Element))
            return (wide << 16).AsSingle();
        var sign = (wide & Vector512.Create(0x8000u)) << 16;
        var shifted = (wide & Vector512.Create(0x7FFFu)) << 13;
        var finite = shifted.AsSingle() * Vector512.Create(NarrowFloat.HalfScale);
        var special = (shifted | Vector512.Create(NarrowFloat.Infinity)).AsSingle();
        var isSpecial = Vector512.GreaterThanOrEqual(shifted, Vector512.Create(0x7C00u << 13)).AsSingle();
        return (Vector512.ConditionalSelect(isSpecial, special, finite).AsUInt32() | sign).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> Round512<TElement>(Vector512<float> value)
    {
        var bits = value.AsUInt32();
        var magnitude = bits & Vector512.Create(NarrowFloat.Magnitude);
        var isNaN = Vector512.GreaterThan(magnitude, Vector512.Create(NarrowFloat.Infinity));
        Vector512<uint> rounded;
        if (typeof(TElement) == typeof(BFloat16Element))
        {
            var even = (bits >> 16) & Vector512.Create(1u);
            rounded = Vector512.ConditionalSelect(
                isNaN, (bits >> 16) | Vector512.Create(0x40u), (bits + Vector512.Create(0x7FFFu) + even) >> 16);
        }
        else
        {
            var even = (magnitude >> 13) & Vector512.Create(1u);
            var normal = ((magnitude + Vector512.Create(0xFFFu) + even) >> 13) - Vector512.Create(NarrowFloat.HalfBias);
            var subnormal =
                (magnitude.AsSingle() + Vector512.Create(0.5f)).AsUInt32() - Vector512.Create(0x3F000000u);
            rounded = Vector512.ConditionalSelect(
                Vector512.LessThan(magnitude, Vector512.Create(NarrowFloat.HalfNormal)), subnormal, normal);
            var special = Vector512.ConditionalSelect(isNaN, Vector512.Create(0x7E00u), Vector512.Create(0x7C00u));
            rounded = Vector512.ConditionalSelect(
                Vector512.GreaterThanOrEqual(magnitude, Vector512.Create(NarrowFloat.HalfOverflow)), special, rounded);
            rounded |= (bits >> 16) & Vector512.Create(0x8000u);
        }
        return Avx512F.IsSupported
            ? Avx512F.ConvertToVector256UInt16(rounded)
            : Vector512.Narrow(rounded, rounded).GetLower();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Load256<TElement>(ushort* source)
    {
        var wide = Vector256.WidenLower(Vector128.Load(source).ToVector256Unsafe());
        if (typeof(TElement) == typeof(BFloat16Element))
            return (wide << 16).AsSingle();
        var sign = (wide & Vector256.Create(0x8000u)) << 16;
        var shifted = (wide & Vector256.Create(0x7FFFu)) << 13;
        var finite = shifted.AsSingle() * Vector256.Create(NarrowFloat.HalfScale);
        var special = (shifted | Vector256.Create(NarrowFloat.Infinity)).AsSingle();
        var isSpecial = Vector256.GreaterThanOrEqual(shifted, Vector256.Create(0x7C00u << 13)).AsSingle();
        return (Vector256.ConditionalSelect(isSpecial, special, finite).AsUInt32() | sign).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> Round256<TElement>(Vector256<float> value)
    {
        var bits = value.AsUInt32();
        var magnitude = bits & Vector256.Create(NarrowFloat.Magnitude);
        var isNaN = Vector256.GreaterThan(magnitude, Vector256.Create(NarrowFloat.Infinity));
        Vector256<uint> rounded;
        if (typeof(TElement) == typeof(BFloat16Element))
        {
            var even = (bits >> 16) & Vector256.Create(1u);
            rounded = Vector256.ConditionalSelect(
                isNaN, (bits >> 16) | Vector256.Create(0x40u), (bits + Vector256.Create(0x7FFFu) + even) >> 16);
        }
        else
        {
            var even = (magnitude >> 13) & Vector256.Create(1u);
            var normal = ((magnitude + Vector256.Create(0xFFFu) + even) >> 13) - Vector256.Create(NarrowFloat.HalfBias);
            var subnormal =
                (magnitude.AsSingle() + Vector256.Create(0.5f)).AsUInt32() - Vector256.Create(0x3F000000u);
            rounded = Vector256.ConditionalSelect(
                Vector256.LessThan(magnitude, Vector256.Create(NarrowFloat.HalfNormal)), subnormal, normal);
            var special = Vector256.ConditionalSelect(isNaN, Vector256.Create(0x7E00u), Vector256.Create(0x7C00u));
            rounded = Vector256.ConditionalSelect(
                Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(NarrowFloat.HalfOverflow)), special, rounded);
            rounded |= (bits >> 16) & Vector256.Create(0x8000u);
        }
        return Vector256.Narrow(rounded, rounded).GetLower();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Load128<TElement>(ushort* source)
    {
        var wide = Vector128.WidenLower(Vector64.Load(source).ToVector128Unsafe());
        if (typeof(TElement) == typeof(BFloat16Element))
            return (wide << 16).AsSingle();
        var sign = (wide & Vector128.Create(0x8000u)) << 16;
        var shifted = (wide & Vector128.Create(0x7FFFu)) << 13;
        var finite = shifted.AsSingle() * Vector128.Create(NarrowFloat.HalfScale);
        var special = (shifted | Vector128.Create(NarrowFloat.Infinity)).AsSingle();
        var isSpecial = Vector128.GreaterThanOrEqual(shifted, Vector128.Create(0x7C00u << 13)).AsSingle();
        return (Vector128.ConditionalSelect(isSpecial, special, finite).AsUInt32() | sign).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector64<ushort> Round128<TElement>(Vector128<float> value)
    {
        var bits = value.AsUInt32();
        var magnitude = bits & Vector128.Create(NarrowFloat.Magnitude);
        var isNaN = Vector128.GreaterThan(magnitude, Vector128.Create(NarrowFloat.Infinity));
        Vector128<uint> rounded;
        if (typeof(TElement) == typeof(BFloat16Element))
        {
            var even = (bits >> 16) & Vector128.Create(1u);
            rounded = Vector128.ConditionalSelect(
                isNaN, (bits >> 16) | Vector128.Create(0x40u), (bits + Vector128.Create(0x7FFFu) + even) >> 16);
        }
        else
        {
            var even = (magnitude >> 13) & Vector128.Create(1u);
            var normal = ((magnitude + Vector128.Create(0xFFFu) + even) >> 13) - Vector128.Create(NarrowFloat.HalfBias);
            var subnormal =
                (magnitude.AsSingle() + Vector128.Create(0.5f)).AsUInt32() - Vector128.Create(0x3F000000u);
            rounded = Vector128.ConditionalSelect(
                Vector128.LessThan(magnitude, Vector128.Create(NarrowFloat.HalfNormal)), subnormal, normal);
            var special = Vector128.ConditionalSelect(isNaN, Vector128.Create(0x7E00u), Vector128.Create(0x7C00u));
            rounded = Vector128.ConditionalSelect(
                Vector128.GreaterThanOrEqual(magnitude, Vector128.Create(NarrowFloat.HalfOverflow)), special, rounded);
            rounded |= (bits >> 16) & Vector128.Create(0x8000u);
        }
        return Vector128.Narrow(rounded, rounded).GetLower();
    }
}
