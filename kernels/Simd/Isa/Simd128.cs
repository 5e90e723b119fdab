using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SapaGpu.Kernels.Simd;

/// <summary>Vectors of 128 bits of float or double, stored as they are computed.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal readonly unsafe struct Simd128<T> : ISimd<T, T, Vector128<T>>
    where T : unmanaged
{
    public static int Lanes => Vector128<T>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Widen(T value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Narrow(T value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> LoadStorage(T* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> LoadEven(T* source) =>
        LaneOrder.Even(LoadStorage(source), LoadStorage(source + Lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> LoadOdd(T* source) =>
        LaneOrder.Odd(LoadStorage(source), LoadStorage(source + Lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStorage(T* destination, Vector128<T> value) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamStorage(T* destination, Vector128<T> value) => value.StoreAlignedNonTemporal(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStorage(T* destination, Vector128<T> first, Vector128<T> second)
    {
        StoreStorage(destination, first);
        StoreStorage(destination + Lanes, second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamStorage(T* destination, Vector128<T> first, Vector128<T> second)
    {
        StreamStorage(destination, first);
        StreamStorage(destination + Lanes, second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreZipped(T* destination, Vector128<T> even, Vector128<T> odd) =>
        StoreStorage(destination, LaneOrder.ZipLow(even, odd), LaneOrder.ZipHigh(even, odd));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamZipped(T* destination, Vector128<T> even, Vector128<T> odd) =>
        StreamStorage(destination, LaneOrder.ZipLow(even, odd), LaneOrder.ZipHigh(even, odd));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Load(T* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T* destination, Vector128<T> value) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Broadcast(T value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Add(Vector128<T> a, Vector128<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Subtract(Vector128<T> a, Vector128<T> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Multiply(Vector128<T> a, Vector128<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Divide(Vector128<T> a, Vector128<T> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> MultiplyAdd(Vector128<T> a, Vector128<T> b, Vector128<T> c) =>
        typeof(T) == typeof(float)
            ? Vector128.MultiplyAddEstimate(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
            : Vector128.MultiplyAddEstimate(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Max(Vector128<T> a, Vector128<T> b) => Vector128.MaxNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Sqrt(Vector128<T> value) => Vector128.Sqrt(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Constant(double value) =>
        typeof(T) == typeof(float)
            ? Vector128.Create((float)value).As<float, T>()
            : Vector128.Create(value).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Floor(Vector128<T> value) =>
        typeof(T) == typeof(float)
            ? Vector128.Floor(value.AsSingle()).As<float, T>()
            : Vector128.Floor(value.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> PowerOfTwo(Vector128<T> exponent) =>
        typeof(T) == typeof(float)
            ? ((Vector128.ConvertToInt32Native(exponent.AsSingle()) + Vector128.Create(127)) << 23).As<int, T>()
            : ((Vector128.ConvertToInt64Native(exponent.AsDouble()) + Vector128.Create(1023L)) << 52).As<long, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> ZeroWhereBelow(Vector128<T> argument, Vector128<T> limit, Vector128<T> value) =>
        Vector128.ConditionalSelect(Vector128.LessThan(argument, limit), Vector128<T>.Zero, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Log(Vector128<T> value) =>
        typeof(T) == typeof(float)
            ? Vector128.Log(value.AsSingle()).As<float, T>()
            : Vector128.Log(value.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllWithin(Vector128<T> value, Vector128<T> low, Vector128<T> high) =>
        Vector128.GreaterThanOrEqualAll(value, low) && Vector128.LessThanAll(value, high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreAddresses(
        long* destination, Vector128<T> row, Vector128<T> column, long origin, long rowStep, long columnStep)
    {
        if (typeof(T) == typeof(float))
        {
            var rows = Vector128.ConvertToInt32Native(row.AsSingle());
            var columns = Vector128.ConvertToInt32Native(column.AsSingle());
            Address(Vector128.WidenLower(rows), Vector128.WidenLower(columns)).Store(destination);
            Address(Vector128.WidenUpper(rows), Vector128.WidenUpper(columns)).Store(destination + Vector128<long>.Count);
            return;
        }
        Address(Vector128.ConvertToInt64Native(row.AsDouble()), Vector128.ConvertToInt64Native(column.AsDouble())).Store(destination);

        Vector128<long> Address(Vector128<long> rows, Vector128<long> columns) =>
            rows * rowStep + columns * columnStep + Vector128.Create(origin);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector128<T> value) => Vector128.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(T* sums, Vector128<T> a, Vector128<T> b, Vector128<T> c, Vector128<T> d)
    {
        sums[0] = Sum(a);
        sums[1] = Sum(b);
        sums[2] = Sum(c);
        sums[3] = Sum(d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(
        T* source, nint sourceStride, T* destination, nint destinationStride, int rows, int columns) =>
        Transposition.Run(source, sourceStride, destination, destinationStride, rows, columns, Vector128<byte>.Count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TransposeBack(
        T* source, nint sourceStride, T* destination, nint destinationStride, int rows, int columns, bool streams = false) =>
        Transposition.RunBack(
            source, sourceStride, destination, destinationStride, rows, columns, Vector128<byte>.Count, streams);

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
