using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SapaGpu.Kernels.Simd;

/// <summary>Vectors of 256 bits of float or double, stored as they are computed.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal readonly unsafe struct Simd256<T> : ISimd<T, T, Vector256<T>>
    where T : unmanaged
{
    public static int Lanes => Vector256<T>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Widen(T value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Narrow(T value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> LoadStorage(T* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> LoadEven(T* source) =>
        LaneOrder.Even(LoadStorage(source), LoadStorage(source + Lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> LoadOdd(T* source) =>
        LaneOrder.Odd(LoadStorage(source), LoadStorage(source + Lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStorage(T* destination, Vector256<T> value) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamStorage(T* destination, Vector256<T> value) => value.StoreAlignedNonTemporal(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStorage(T* destination, Vector256<T> first, Vector256<T> second)
    {
        StoreStorage(destination, first);
        StoreStorage(destination + Lanes, second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamStorage(T* destination, Vector256<T> first, Vector256<T> second)
    {
        StreamStorage(destination, first);
        StreamStorage(destination + Lanes, second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreZipped(T* destination, Vector256<T> even, Vector256<T> odd) =>
        StoreStorage(destination, LaneOrder.ZipLow(even, odd), LaneOrder.ZipHigh(even, odd));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamZipped(T* destination, Vector256<T> even, Vector256<T> odd) =>
        StreamStorage(destination, LaneOrder.ZipLow(even, odd), LaneOrder.ZipHigh(even, odd));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Load(T* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T* destination, Vector256<T> value) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Broadcast(T value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Add(Vector256<T> a, Vector256<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Subtract(Vector256<T> a, Vector256<T> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Multiply(Vector256<T> a, Vector256<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Divide(Vector256<T> a, Vector256<T> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> MultiplyAdd(Vector256<T> a, Vector256<T> b, Vector256<T> c) =>
        typeof(T) == typeof(float)
            ? Vector256.MultiplyAddEstimate(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
            : Vector256.MultiplyAddEstimate(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Max(Vector256<T> a, Vector256<T> b) => Vector256.MaxNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Sqrt(Vector256<T> value) => Vector256.Sqrt(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Constant(double value) =>
        typeof(T) == typeof(float)
            ? Vector256.Create((float)value).As<float, T>()
            : Vector256.Create(value).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Floor(Vector256<T> value) =>
        typeof(T) == typeof(float)
            ? Vector256.Floor(value.AsSingle()).As<float, T>()
            : Vector256.Floor(value.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> PowerOfTwo(Vector256<T> exponent) =>
        typeof(T) == typeof(float)
            ? ((Vector256.ConvertToInt32Native(exponent.AsSingle()) + Vector256.Create(127)) << 23).As<int, T>()
            : ((Vector256.ConvertToInt64Native(exponent.AsDouble()) + Vector256.Create(1023L)) << 52).As<long, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> ZeroWhereBelow(Vector256<T> argument, Vector256<T> limit, Vector256<T> value) =>
        Vector256.ConditionalSelect(Vector256.LessThan(argument, limit), Vector256<T>.Zero, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Log(Vector256<T> value) =>
        typeof(T) == typeof(float)
            ? Vector256.Log(value.AsSingle()).As<float, T>()
            : Vector256.Log(value.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllWithin(Vector256<T> value, Vector256<T> low, Vector256<T> high) =>
        Vector256.GreaterThanOrEqualAll(value, low) && Vector256.LessThanAll(value, high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreAddresses(
        long* destination, Vector256<T> row, Vector256<T> column, long origin, long rowStep, long columnStep)
    {
        if (typeof(T) == typeof(float))
        {
            var rows = Vector256.ConvertToInt32Native(row.AsSingle());
            var columns = Vector256.ConvertToInt32Native(column.AsSingle());
            Address(Vector256.WidenLower(rows), Vector256.WidenLower(columns)).Store(destination);
            Address(Vector256.WidenUpper(rows), Vector256.WidenUpper(columns)).Store(destination + Vector256<long>.Count);
            return;
        }
        Address(Vector256.ConvertToInt64Native(row.AsDouble()), Vector256.ConvertToInt64Native(column.AsDouble())).Store(destination);

        Vector256<long> Address(Vector256<long> rows, Vector256<long> columns) =>
            rows * rowStep + columns * columnStep + Vector256.Create(origin);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector256<T> value) => Vector256.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(T* sums, Vector256<T> a, Vector256<T> b, Vector256<T> c, Vector256<T> d)
    {
        sums[0] = Sum(a);
        sums[1] = Sum(b);
        sums[2] = Sum(c);
        sums[3] = Sum(d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(
        T* source, nint sourceStride, T* destination, nint destinationStride, int rows, int columns) =>
        Transposition.Run(source, sourceStride, destination, destinationStride, rows, columns, Vector256<byte>.Count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TransposeBack(
        T* source, nint sourceStride, T* destination, nint destinationStride, int rows, int columns, bool streams = false) =>
        Transposition.RunBack(
            source, sourceStride, destination, destinationStride, rows, columns, Vector256<byte>.Count, streams);

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
