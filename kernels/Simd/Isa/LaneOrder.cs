using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Two vectors interleaved lane by lane, and the other way around, for float and double: the step between a row of
/// queries and the even and odd ones of neighbouring cells.
/// </summary>
internal static class LaneOrder
{
    /// <summary>The first lanes of a and b in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> ZipLow<T>(Vector512<T> a, Vector512<T> b)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float) && Avx512F.IsSupported)
        {
            var lanes = Vector512.Create(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            return Avx512F.PermuteVar16x32x2(a.AsSingle(), lanes, b.AsSingle()).As<float, T>();
        }
        return Vector512.Create(ZipLow(a.GetLower(), b.GetLower()), ZipHigh(a.GetLower(), b.GetLower()));
    }

    /// <summary>The last lanes of a and b in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> ZipHigh<T>(Vector512<T> a, Vector512<T> b)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float) && Avx512F.IsSupported)
        {
            var lanes = Vector512.Create(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            return Avx512F.PermuteVar16x32x2(a.AsSingle(), lanes, b.AsSingle()).As<float, T>();
        }
        return Vector512.Create(ZipLow(a.GetUpper(), b.GetUpper()), ZipHigh(a.GetUpper(), b.GetUpper()));
    }

    /// <summary>The even lanes of a, then of b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Even<T>(Vector512<T> a, Vector512<T> b)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float) && Avx512F.IsSupported)
        {
            var lanes = Vector512.Create(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            return Avx512F.PermuteVar16x32x2(a.AsSingle(), lanes, b.AsSingle()).As<float, T>();
        }
        return Vector512.Create(Even(a.GetLower(), a.GetUpper()), Even(b.GetLower(), b.GetUpper()));
    }

    /// <summary>The odd lanes of a, then of b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Odd<T>(Vector512<T> a, Vector512<T> b)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float) && Avx512F.IsSupported)
        {
            var lanes = Vector512.Create(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
            return Avx512F.PermuteVar16x32x2(a.AsSingle(), lanes, b.AsSingle()).As<float, T>();
        }
        return Vector512.Create(Odd(a.GetLower(), a.GetUpper()), Odd(b.GetLower(), b.GetUpper()));
    }

    /// <inheritdoc cref="ZipLow{T}(Vector512{T}, Vector512{T})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> ZipLow<T>(Vector256<T> a, Vector256<T> b)
        where T : unmanaged =>
        Vector256.Create(ZipLow(a.GetLower(), b.GetLower()), ZipHigh(a.GetLower(), b.GetLower()));

    /// <inheritdoc cref="ZipHigh{T}(Vector512{T}, Vector512{T})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> ZipHigh<T>(Vector256<T> a, Vector256<T> b)
        where T : unmanaged =>
        Vector256.Create(ZipLow(a.GetUpper(), b.GetUpper()), ZipHigh(a.GetUpper(), b.GetUpper()));

    /// <inheritdoc cref="Even{T}(Vector512{T}, Vector512{T})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Even<T>(Vector256<T> a, Vector256<T> b)
        where T : unmanaged =>
        Vector256.Create(Even(a.GetLower(), a.GetUpper()), Even(b.GetLower(), b.GetUpper()));

    /// <inheritdoc cref="Odd{T}(Vector512{T}, Vector512{T})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Odd<T>(Vector256<T> a, Vector256<T> b)
        where T : unmanaged =>
        Vector256.Create(Odd(a.GetLower(), a.GetUpper()), Odd(b.GetLower(), b.GetUpper()));

    /// <inheritdoc cref="ZipLow{T}(Vector512{T}, Vector512{T})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> ZipLow<T>(Vector128<T> a, Vector128<T> b)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double))
            return Vector128.Create(a.AsDouble().GetLower(), b.AsDouble().GetLower()).As<double, T>();
        if (Sse.IsSupported)
            return Sse.UnpackLow(a.AsSingle(), b.AsSingle()).As<float, T>();
        return AdvSimd.Arm64.IsSupported
            ? AdvSimd.Arm64.ZipLow(a.AsSingle(), b.AsSingle()).As<float, T>()
            : Vector128.Create([a[0], b[0], a[1], b[1]]);
    }

    /// <inheritdoc cref="ZipHigh{T}(Vector512{T}, Vector512{T})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> ZipHigh<T>(Vector128<T> a, Vector128<T> b)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double))
            return Vector128.Create(a.AsDouble().GetUpper(), b.AsDouble().GetUpper()).As<double, T>();
        if (Sse.IsSupported)
            return Sse.UnpackHigh(a.AsSingle(), b.AsSingle()).As<float, T>();
        return AdvSimd.Arm64.IsSupported
            ? AdvSimd.Arm64.ZipHigh(a.AsSingle(), b.AsSingle()).As<float, T>()
            : Vector128.Create([a[2], b[2], a[3], b[3]]);
    }

    /// <inheritdoc cref="Even{T}(Vector512{T}, Vector512{T})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Even<T>(Vector128<T> a, Vector128<T> b)
        where T : unmanaged
    {
        const byte EvenLanes = 0x88;
        if (typeof(T) == typeof(double))
            return ZipLow(a, b);
        if (Sse.IsSupported)
            return Sse.Shuffle(a.AsSingle(), b.AsSingle(), EvenLanes).As<float, T>();
        return AdvSimd.Arm64.IsSupported
            ? AdvSimd.Arm64.UnzipEven(a.AsSingle(), b.AsSingle()).As<float, T>()
            : Vector128.Create([a[0], a[2], b[0], b[2]]);
    }

    /// <inheritdoc cref="Odd{T}(Vector512{T}, Vector512{T})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Odd<T>(Vector128<T> a, Vector128<T> b)
        where T : unmanaged
    {
        const byte OddLanes = 0xDD;
        if (typeof(T) == typeof(double))
            return ZipHigh(a, b);
        if (Sse.IsSupported)
            return Sse.Shuffle(a.AsSingle(), b.AsSingle(), OddLanes).As<float, T>();
        return AdvSimd.Arm64.IsSupported
            ? AdvSimd.Arm64.UnzipOdd(a.AsSingle(), b.AsSingle()).As<float, T>()
            : Vector128.Create([a[1], a[3], b[1], b[3]]);
    }
}
