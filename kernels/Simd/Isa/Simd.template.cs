// Vectors of @BITS@ bits, made of Simd.template.cs at build: change that file.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SapaGpu.Kernels.Simd;

/// <summary>Vectors of @BITS@ bits of float or double, stored as they are computed.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal readonly unsafe struct Simd@BITS@<T> : ISimd<T, T, Vector@BITS@<T>>
    where T : unmanaged
{
    public static int Lanes => Vector@BITS@<T>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Widen(T value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Narrow(T value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> LoadStorage(T* source) => Vector@BITS@.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> LoadEven(T* source) =>
        LaneOrder.Even(LoadStorage(source), LoadStorage(source + Lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> LoadOdd(T* source) =>
        LaneOrder.Odd(LoadStorage(source), LoadStorage(source + Lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStorage(T* destination, Vector@BITS@<T> value) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamStorage(T* destination, Vector@BITS@<T> value) => value.StoreAlignedNonTemporal(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStorage(T* destination, Vector@BITS@<T> first, Vector@BITS@<T> second)
    {
        StoreStorage(destination, first);
        StoreStorage(destination + Lanes, second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamStorage(T* destination, Vector@BITS@<T> first, Vector@BITS@<T> second)
    {
        StreamStorage(destination, first);
        StreamStorage(destination + Lanes, second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreZipped(T* destination, Vector@BITS@<T> even, Vector@BITS@<T> odd) =>
        StoreStorage(destination, LaneOrder.ZipLow(even, odd), LaneOrder.ZipHigh(even, odd));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamZipped(T* destination, Vector@BITS@<T> even, Vector@BITS@<T> odd) =>
        StreamStorage(destination, LaneOrder.ZipLow(even, odd), LaneOrder.ZipHigh(even, odd));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> Load(T* source) => Vector@BITS@.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T* destination, Vector@BITS@<T> value) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> Broadcast(T value) => Vector@BITS@.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> Add(Vector@BITS@<T> a, Vector@BITS@<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> Subtract(Vector@BITS@<T> a, Vector@BITS@<T> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> Multiply(Vector@BITS@<T> a, Vector@BITS@<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> Divide(Vector@BITS@<T> a, Vector@BITS@<T> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> MultiplyAdd(Vector@BITS@<T> a, Vector@BITS@<T> b, Vector@BITS@<T> c) =>
        typeof(T) == typeof(float)
            ? Vector@BITS@.MultiplyAddEstimate(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
            : Vector@BITS@.MultiplyAddEstimate(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> Max(Vector@BITS@<T> a, Vector@BITS@<T> b) => Vector@BITS@.MaxNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> Sqrt(Vector@BITS@<T> value) => Vector@BITS@.Sqrt(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> Constant(double value) =>
        typeof(T) == typeof(float)
            ? Vector@BITS@.Create((float)value).As<float, T>()
            : Vector@BITS@.Create(value).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> Floor(Vector@BITS@<T> value) =>
        typeof(T) == typeof(float)
            ? Vector@BITS@.Floor(value.AsSingle()).As<float, T>()
            : Vector@BITS@.Floor(value.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> PowerOfTwo(Vector@BITS@<T> exponent) =>
        typeof(T) == typeof(float)
            ? ((Vector@BITS@.ConvertToInt32Native(exponent.AsSingle()) + Vector@BITS@.Create(127)) << 23).As<int, T>()
            : ((Vector@BITS@.ConvertToInt64Native(exponent.AsDouble()) + Vector@BITS@.Create(1023L)) << 52).As<long, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> ZeroWhereBelow(Vector@BITS@<T> argument, Vector@BITS@<T> limit, Vector@BITS@<T> value) =>
        Vector@BITS@.ConditionalSelect(Vector@BITS@.LessThan(argument, limit), Vector@BITS@<T>.Zero, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector@BITS@<T> Log(Vector@BITS@<T> value) =>
        typeof(T) == typeof(float)
            ? Vector@BITS@.Log(value.AsSingle()).As<float, T>()
            : Vector@BITS@.Log(value.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllWithin(Vector@BITS@<T> value, Vector@BITS@<T> low, Vector@BITS@<T> high) =>
        Vector@BITS@.GreaterThanOrEqualAll(value, low) && Vector@BITS@.LessThanAll(value, high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreAddresses(
        long* destination, Vector@BITS@<T> row, Vector@BITS@<T> column, long origin, long rowStep, long columnStep)
    {
        if (typeof(T) == typeof(float))
        {
            var rows = Vector@BITS@.ConvertToInt32Native(row.AsSingle());
            var columns = Vector@BITS@.ConvertToInt32Native(column.AsSingle());
            Address(Vector@BITS@.WidenLower(rows), Vector@BITS@.WidenLower(columns)).Store(destination);
            Address(Vector@BITS@.WidenUpper(rows), Vector@BITS@.WidenUpper(columns)).Store(destination + Vector@BITS@<long>.Count);
            return;
        }
        Address(Vector@BITS@.ConvertToInt64Native(row.AsDouble()), Vector@BITS@.ConvertToInt64Native(column.AsDouble())).Store(destination);

        Vector@BITS@<long> Address(Vector@BITS@<long> rows, Vector@BITS@<long> columns) =>
            rows * rowStep + columns * columnStep + Vector@BITS@.Create(origin);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector@BITS@<T> value) => Vector@BITS@.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(T* sums, Vector@BITS@<T> a, Vector@BITS@<T> b, Vector@BITS@<T> c, Vector@BITS@<T> d)
    {
        LaneSums.Store(sums, a, b, c, d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(
        T* source, nint sourceStride, T* destination, nint destinationStride, int rows, int columns) =>
        Transposition.Run(source, sourceStride, destination, destinationStride, rows, columns, Vector@BITS@<byte>.Count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TransposeBack(
        T* source, nint sourceStride, T* destination, nint destinationStride, int rows, int columns, bool streams = false) =>
        Transposition.RunBack(
            source, sourceStride, destination, destinationStride, rows, columns, Vector@BITS@<byte>.Count, streams);

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
