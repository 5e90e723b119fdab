using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SapaGpu.Kernels.Simd;

/// <summary>Vectors of 512 bits of float or double, stored as they are computed.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal readonly unsafe struct Simd512<T> : ISimd<T, T, Vector512<T>>
    where T : unmanaged
{
    public static int Lanes => Vector512<T>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Widen(T value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Narrow(T value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> LoadStorage(T* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> LoadEven(T* source) =>
        LaneOrder.Even(LoadStorage(source), LoadStorage(source + Lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> LoadOdd(T* source) =>
        LaneOrder.Odd(LoadStorage(source), LoadStorage(source + Lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStorage(T* destination, Vector512<T> value) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamStorage(T* destination, Vector512<T> value) => value.StoreAlignedNonTemporal(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStorage(T* destination, Vector512<T> first, Vector512<T> second)
    {
        StoreStorage(destination, first);
        StoreStorage(destination + Lanes, second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamStorage(T* destination, Vector512<T> first, Vector512<T> second)
    {
        StreamStorage(destination, first);
        StreamStorage(destination + Lanes, second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreZipped(T* destination, Vector512<T> even, Vector512<T> odd) =>
        StoreStorage(destination, LaneOrder.ZipLow(even, odd), LaneOrder.ZipHigh(even, odd));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamZipped(T* destination, Vector512<T> even, Vector512<T> odd) =>
        StreamStorage(destination, LaneOrder.ZipLow(even, odd), LaneOrder.ZipHigh(even, odd));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Load(T* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T* destination, Vector512<T> value) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Broadcast(T value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Add(Vector512<T> a, Vector512<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Subtract(Vector512<T> a, Vector512<T> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Multiply(Vector512<T> a, Vector512<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Divide(Vector512<T> a, Vector512<T> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> MultiplyAdd(Vector512<T> a, Vector512<T> b, Vector512<T> c) =>
        typeof(T) == typeof(float)
            ? Vector512.MultiplyAddEstimate(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
            : Vector512.MultiplyAddEstimate(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Max(Vector512<T> a, Vector512<T> b) => Vector512.MaxNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Sqrt(Vector512<T> value) => Vector512.Sqrt(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Constant(double value) =>
        typeof(T) == typeof(float)
            ? Vector512.Create((float)value).As<float, T>()
            : Vector512.Create(value).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Floor(Vector512<T> value) =>
        typeof(T) == typeof(float)
            ? Vector512.Floor(value.AsSingle()).As<float, T>()
            : Vector512.Floor(value.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> PowerOfTwo(Vector512<T> exponent) =>
        typeof(T) == typeof(float)
            ? ((Vector512.ConvertToInt32Native(exponent.AsSingle()) + Vector512.Create(127)) << 23).As<int, T>()
            : ((Vector512.ConvertToInt64Native(exponent.AsDouble()) + Vector512.Create(1023L)) << 52).As<long, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> ZeroWhereBelow(Vector512<T> argument, Vector512<T> limit, Vector512<T> value) =>
        Vector512.ConditionalSelect(Vector512.LessThan(argument, limit), Vector512<T>.Zero, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Log(Vector512<T> value) =>
        typeof(T) == typeof(float)
            ? Vector512.Log(value.AsSingle()).As<float, T>()
            : Vector512.Log(value.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllWithin(Vector512<T> value, Vector512<T> low, Vector512<T> high) =>
        Vector512.GreaterThanOrEqualAll(value, low) && Vector512.LessThanAll(value, high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreAddresses(
        long* destination, Vector512<T> row, Vector512<T> column, long origin, long rowStep, long columnStep)
    {
        if (typeof(T) == typeof(float))
        {
            var rows = Vector512.ConvertToInt32Native(row.AsSingle());
            var columns = Vector512.ConvertToInt32Native(column.AsSingle());
            Address(Vector512.WidenLower(rows), Vector512.WidenLower(columns)).Store(destination);
            Address(Vector512.WidenUpper(rows), Vector512.WidenUpper(columns)).Store(destination + Vector512<long>.Count);
            return;
        }
        Address(Vector512.ConvertToInt64Native(row.AsDouble()), Vector512.ConvertToInt64Native(column.AsDouble())).Store(destination);

        Vector512<long> Address(Vector512<long> rows, Vector512<long> columns) =>
            rows * rowStep + columns * columnStep + Vector512.Create(origin);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector512<T> value) => Vector512.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(T* sums, Vector512<T> a, Vector512<T> b, Vector512<T> c, Vector512<T> d)
    {
        if (typeof(T) == typeof(float) && Avx512F.IsSupported)
        {
            var quarters = LaneSums.Quarters(a.AsSingle(), b.AsSingle(), c.AsSingle(), d.AsSingle());
            var halves = quarters.GetLower() + quarters.GetUpper();
            (halves.GetLower() + halves.GetUpper()).Store((float*)sums);
            return;
        }
        sums[0] = Sum(a);
        sums[1] = Sum(b);
        sums[2] = Sum(c);
        sums[3] = Sum(d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(
        T* source, nint sourceStride, T* destination, nint destinationStride, int rows, int columns) =>
        Transposition.Run(source, sourceStride, destination, destinationStride, rows, columns, Vector512<byte>.Count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TransposeBack(
        T* source, nint sourceStride, T* destination, nint destinationStride, int rows, int columns, bool streams = false) =>
        Transposition.RunBack(
            source, sourceStride, destination, destinationStride, rows, columns, Vector512<byte>.Count, streams);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Gather(T* source, nint stride, T* destination, int count) =>
        StridedCopy.Gather(source, stride, destination, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scatter(T* source, T* destination, nint stride, int count) =>
        StridedCopy.Scatter(source, destination, stride, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(T* even, T* odd, T* destination, int count, bool streams = false) =>
        StridedCopy.Interleave(even, odd, destination, count, streams);
}
