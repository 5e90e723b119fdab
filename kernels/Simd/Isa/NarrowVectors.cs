using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// <see cref="NarrowFloat"/> on vectors: the 16-bit formats to and from lanes of single precision. Which format is told
/// by the element type. Values are best written two vectors at a time, which fill one of 16-bit lanes.
/// </summary>
internal static unsafe class NarrowVectors
{
    /// <summary>Widens as many values as the vector has lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TElement, TVector>(ushort* source)
        where TVector : struct
    {
        bool isHalf = typeof(TElement) == typeof(Float16Element);
        if (typeof(TVector) == typeof(Vector512<float>))
        {
            var wide = Vector512.WidenLower(Vector256.Load((short*)source).ToVector512Unsafe());
            return (TVector)(object)(isHalf ? HalfVectors.Widen(wide << 13) : (wide << 16).AsSingle());
        }
        if (typeof(TVector) == typeof(Vector256<float>))
        {
            var wide = Vector256.WidenLower(Vector128.Load((short*)source).ToVector256Unsafe());
            return (TVector)(object)(isHalf ? HalfVectors.Widen(wide << 13) : (wide << 16).AsSingle());
        }
        else
        {
            var wide = Vector128.WidenLower(Vector64.Load((short*)source).ToVector128Unsafe());
            return (TVector)(object)(isHalf ? HalfVectors.Widen(wide << 13) : (wide << 16).AsSingle());
        }
    }

    /// <summary>Widens the lower halves of as many pairs as the vector has lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LoadEven<TElement, TVector>(ushort* source)
        where TVector : struct
    {
        if (typeof(TVector) == typeof(Vector512<float>))
            return (TVector)(object)WidenEven<TElement>(Vector512.Load((int*)source));

        if (typeof(TVector) == typeof(Vector256<float>))
            return (TVector)(object)WidenEven<TElement>(Vector256.Load((int*)source));

        return (TVector)(object)WidenEven<TElement>(Vector128.Load((int*)source));

    }

    /// <summary>Widens the upper halves of as many pairs as the vector has lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LoadOdd<TElement, TVector>(ushort* source)
        where TVector : struct
    {
        if (typeof(TVector) == typeof(Vector512<float>))
            return (TVector)(object)WidenOdd<TElement>(Vector512.Load((int*)source));

        if (typeof(TVector) == typeof(Vector256<float>))
            return (TVector)(object)WidenOdd<TElement>(Vector256.Load((int*)source));

        return (TVector)(object)WidenOdd<TElement>(Vector128.Load((int*)source));

    }

    /// <summary>Widens the lower halves of words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WidenEven<TElement>(Vector512<int> pairs) =>
        typeof(TElement) == typeof(Float16Element)
            ? HalfVectors.Widen((pairs << 16) >> 3)
            : (pairs << 16).AsSingle();

    /// <summary>Widens the upper halves of words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WidenOdd<TElement>(Vector512<int> pairs) =>
        typeof(TElement) == typeof(Float16Element)
            ? HalfVectors.Widen(pairs >> 3)
            : (pairs & Vector512.Create(~0xFFFF)).AsSingle();

    /// <inheritdoc cref="WidenEven{TElement}(Vector512{int})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> WidenEven<TElement>(Vector256<int> pairs) =>
        typeof(TElement) == typeof(Float16Element)
            ? HalfVectors.Widen((pairs << 16) >> 3)
            : (pairs << 16).AsSingle();

    /// <inheritdoc cref="WidenOdd{TElement}(Vector512{int})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> WidenOdd<TElement>(Vector256<int> pairs) =>
        typeof(TElement) == typeof(Float16Element)
            ? HalfVectors.Widen(pairs >> 3)
            : (pairs & Vector256.Create(~0xFFFF)).AsSingle();

    /// <inheritdoc cref="WidenEven{TElement}(Vector512{int})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> WidenEven<TElement>(Vector128<int> pairs) =>
        typeof(TElement) == typeof(Float16Element)
            ? HalfVectors.Widen((pairs << 16) >> 3)
            : (pairs << 16).AsSingle();

    /// <inheritdoc cref="WidenOdd{TElement}(Vector512{int})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> WidenOdd<TElement>(Vector128<int> pairs) =>
        typeof(TElement) == typeof(Float16Element)
            ? HalfVectors.Widen(pairs >> 3)
            : (pairs & Vector128.Create(~0xFFFF)).AsSingle();

    /// <summary>Rounds and writes a vector; past the caches where that is asked for, to an aligned place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TElement, TVector>(ushort* destination, TVector value, bool streams = false)
        where TVector : struct
    {
        if (typeof(TVector) == typeof(Vector512<float>))
            WriteWhole(Round512<TElement>((Vector512<float>)(object)value), destination, streams);
        else if (typeof(TVector) == typeof(Vector256<float>))
            WriteWhole(
                Round256<TElement>((Vector256<float>)(object)value, (Vector256<float>)(object)value).GetLower(),
                destination,
                streams);
        else
            Round128<TElement>((Vector128<float>)(object)value, (Vector128<float>)(object)value).GetLower().Store(
                destination);
    }

    /// <summary>
    /// Rounds two vectors and writes them one behind the other; past the caches where that is asked for, to a place
    /// that is aligned to the values of one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePair<TElement, TVector>(
        ushort* destination, TVector first, TVector second, bool streams = false)
        where TVector : struct
    {
        if (typeof(TVector) == typeof(Vector512<float>))
            Write(
                Round512<TElement>((Vector512<float>)(object)first, (Vector512<float>)(object)second),
                destination,
                streams);
        else if (typeof(TVector) == typeof(Vector256<float>))
            Write(
                Round256<TElement>((Vector256<float>)(object)first, (Vector256<float>)(object)second),
                destination,
                streams);
        else
            Round128<TElement>((Vector128<float>)(object)first, (Vector128<float>)(object)second).Store(destination);
    }

    /// <summary>As <see cref="StorePair"/>, but the lanes of both in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreZipped<TElement, TVector>(
        ushort* destination, TVector even, TVector odd, bool streams = false)
        where TVector : struct
    {
        if (typeof(TVector) == typeof(Vector512<float>))
            Write(
                Zip512<TElement>((Vector512<float>)(object)even, (Vector512<float>)(object)odd), destination, streams);
        else if (typeof(TVector) == typeof(Vector256<float>))
            Write(
                Zip256<TElement>((Vector256<float>)(object)even, (Vector256<float>)(object)odd), destination, streams);
        else
            Zip128<TElement>((Vector128<float>)(object)even, (Vector128<float>)(object)odd).Store(destination);
    }

    // Both halves are aligned, the whole need not be.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(Vector512<ushort> values, ushort* destination, bool streams)
    {
        if (!streams)
        {
            values.Store(destination);
            return;
        }
        WriteWhole(values.GetLower(), destination, streams);
        WriteWhole(values.GetUpper(), destination + Vector256<ushort>.Count, streams);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(Vector256<ushort> values, ushort* destination, bool streams)
    {
        if (!streams)
        {
            values.Store(destination);
            return;
        }
        WriteWhole(values.GetLower(), destination, streams);
        WriteWhole(values.GetUpper(), destination + Vector128<ushort>.Count, streams);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteWhole(Vector256<ushort> values, ushort* destination, bool streams)
    {
        if (streams)
            values.StoreAlignedNonTemporal(destination);
        else
            values.Store(destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteWhole(Vector128<ushort> values, ushort* destination, bool streams)
    {
        if (streams)
            values.StoreAlignedNonTemporal(destination);
        else
            values.Store(destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> Round512<TElement>(Vector512<float> value)
    {
        var rounded = typeof(TElement) == typeof(Float16Element)
            ? HalfVectors.Round(value)
            : BFloat16Vectors.Round(value) >> 16;
        return Avx512F.IsSupported
            ? Avx512F.ConvertToVector256UInt16(rounded)
            : Vector512.Narrow(rounded, rounded).GetLower();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ushort> Round512<TElement>(Vector512<float> first, Vector512<float> second)
    {
        if (typeof(TElement) == typeof(Float16Element))
            return HalfVectors.Join(first, second);
        var a = BFloat16Vectors.Round(first);
        var b = BFloat16Vectors.Round(second);
        return Avx512BW.IsSupported
            ? Avx512BW.PermuteVar32x16x2(a.AsUInt16(), Vector512.CreateSequence<ushort>(1, 2), b.AsUInt16())
            : Vector512.Narrow(a >> 16, b >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> Round256<TElement>(Vector256<float> first, Vector256<float> second) =>
        typeof(TElement) == typeof(Float16Element)
            ? Vector256.Narrow(HalfVectors.Round(first), HalfVectors.Round(second))
            : Vector256.Narrow(BFloat16Vectors.Round(first) >> 16, BFloat16Vectors.Round(second) >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> Round128<TElement>(Vector128<float> first, Vector128<float> second) =>
        typeof(TElement) == typeof(Float16Element)
            ? Vector128.Narrow(HalfVectors.Round(first), HalfVectors.Round(second))
            : Vector128.Narrow(BFloat16Vectors.Round(first) >> 16, BFloat16Vectors.Round(second) >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ushort> Zip512<TElement>(Vector512<float> even, Vector512<float> odd) =>
        typeof(TElement) == typeof(Float16Element)
            ? HalfVectors.Zip(even, odd)
            : Vector512.ConditionalSelect(
                Vector512.Create(0xFFFFu), BFloat16Vectors.Round(even) >> 16, BFloat16Vectors.Round(odd)).AsUInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> Zip256<TElement>(Vector256<float> even, Vector256<float> odd) =>
        (typeof(TElement) == typeof(Float16Element)
            ? Vector256.ConditionalSelect(
                Vector256.Create(0xFFFFu), HalfVectors.Round(even), HalfVectors.Round(odd) << 16)
            : Vector256.ConditionalSelect(
                Vector256.Create(0xFFFFu), BFloat16Vectors.Round(even) >> 16, BFloat16Vectors.Round(odd))).AsUInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> Zip128<TElement>(Vector128<float> even, Vector128<float> odd) =>
        (typeof(TElement) == typeof(Float16Element)
            ? Vector128.ConditionalSelect(
                Vector128.Create(0xFFFFu), HalfVectors.Round(even), HalfVectors.Round(odd) << 16)
            : Vector128.ConditionalSelect(
                Vector128.Create(0xFFFFu), BFloat16Vectors.Round(even) >> 16, BFloat16Vectors.Round(odd))).AsUInt16();
}
