using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Vectors of single precision on maps of a 16-bit format: the arithmetic is that of <typeparamref name="TWide"/>, and
/// values are widened where they are read and rounded where they are written.
/// </summary>
/// <typeparam name="TElement">The format, <see cref="Float16Element"/> or <see cref="BFloat16Element"/>.</typeparam>
/// <typeparam name="TWide">The vector arithmetic.</typeparam>
/// <typeparam name="TVector">A vector of single precision.</typeparam>
internal readonly unsafe struct NarrowSimd<TElement, TWide, TVector> : ISimd<ushort, float, TVector>
    where TElement : struct, IElement<ushort, float>
    where TWide : struct, ISimd<float, float, TVector>
    where TVector : struct
{
    // A block of a matrix on its way through single precision.
    private const int BlockRows = 16;
    private const int BlockColumns = 64;

    public static int Lanes => TWide.Lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Widen(ushort value) => TElement.Load(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Narrow(float value) => TElement.Store(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LoadStorage(ushort* source) => NarrowVectors.Load<TElement, TVector>(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LoadEven(ushort* source) => NarrowVectors.LoadEven<TElement, TVector>(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LoadOdd(ushort* source) => NarrowVectors.LoadOdd<TElement, TVector>(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStorage(ushort* destination, TVector value) =>
        NarrowVectors.Store<TElement, TVector>(destination, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamStorage(ushort* destination, TVector value) =>
        NarrowVectors.Store<TElement, TVector>(destination, value, streams: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStorage(ushort* destination, TVector first, TVector second) =>
        NarrowVectors.StorePair<TElement, TVector>(destination, first, second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamStorage(ushort* destination, TVector first, TVector second) =>
        NarrowVectors.StorePair<TElement, TVector>(destination, first, second, streams: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreZipped(ushort* destination, TVector even, TVector odd) =>
        NarrowVectors.StoreZipped<TElement, TVector>(destination, even, odd);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamZipped(ushort* destination, TVector even, TVector odd) =>
        NarrowVectors.StoreZipped<TElement, TVector>(destination, even, odd, streams: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load(float* source) => TWide.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, TVector value) => TWide.Store(destination, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Broadcast(float value) => TWide.Broadcast(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Add(TVector a, TVector b) => TWide.Add(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Subtract(TVector a, TVector b) => TWide.Subtract(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Multiply(TVector a, TVector b) => TWide.Multiply(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Divide(TVector a, TVector b) => TWide.Divide(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector MultiplyAdd(TVector a, TVector b, TVector c) => TWide.MultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Max(TVector a, TVector b) => TWide.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Sqrt(TVector value) => TWide.Sqrt(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Constant(double value) => TWide.Constant(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Floor(TVector value) => TWide.Floor(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector PowerOfTwo(TVector exponent) => TWide.PowerOfTwo(exponent);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ZeroWhereBelow(TVector argument, TVector limit, TVector value) =>
        TWide.ZeroWhereBelow(argument, limit, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Log(TVector value) => TWide.Log(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllWithin(TVector value, TVector low, TVector high) => TWide.AllWithin(value, low, high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreAddresses(
        long* destination, TVector row, TVector column, long origin, long rowStep, long columnStep) =>
        TWide.StoreAddresses(destination, row, column, origin, rowStep, columnStep);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(TVector value) => TWide.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(float* sums, TVector a, TVector b, TVector c, TVector d) =>
        TWide.StoreSums(sums, a, b, c, d);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(
        ushort* source, nint sourceStride, float* destination, nint destinationStride, int rows, int columns)
    {
        int wholeRows = 0;
        if (HasBlocks)
        {
            wholeRows = rows & ~15;
            int wholeColumns = columns & ~7;
            Transposition.WidenBlocks<TElement>(
                source, sourceStride, destination, destinationStride, wholeRows, wholeColumns);
            TransposeThrough(
                source + wholeColumns,
                sourceStride,
                destination + wholeColumns * destinationStride,
                destinationStride,
                wholeRows,
                columns - wholeColumns);
        }
        TransposeThrough(
            source + wholeRows * sourceStride,
            sourceStride,
            destination + wholeRows,
            destinationStride,
            rows - wholeRows,
            columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TransposeBack(
        float* source,
        nint sourceStride,
        ushort* destination,
        nint destinationStride,
        int rows,
        int columns,
        bool streams = false)
    {
        int wholeRows = 0;
        if (HasBlocks)
        {
            wholeRows = rows & ~31;
            int wholeColumns = columns & ~3;
            Transposition.NarrowBlocks<TElement>(
                source, sourceStride, destination, destinationStride, wholeRows, wholeColumns);
            TransposeBackThrough(
                source + wholeColumns,
                sourceStride,
                destination + wholeColumns * destinationStride,
                destinationStride,
                wholeRows,
                columns - wholeColumns);
        }
        TransposeBackThrough(
            source + wholeRows * sourceStride,
            sourceStride,
            destination + wholeRows,
            destinationStride,
            rows - wholeRows,
            columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gather(ushort* source, nint stride, float* destination, int count)
    {
        if (stride == 1)
        {
            WidenRun(source, destination, count);
            return;
        }
        for (int i = 0; i < count; i++)
            destination[i] = TElement.Load(source[i * stride]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scatter(float* source, ushort* destination, nint stride, int count)
    {
        if (stride == 1)
        {
            NarrowRun(source, destination, count);
            return;
        }
        for (int i = 0; i < count; i++)
            destination[i * stride] = TElement.Store(source[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleave(float* even, float* odd, ushort* destination, int count, bool streams = false)
    {
        if (count < Lanes)
        {
            for (int i = 0; i < count; i++)
            {
                destination[2 * i] = TElement.Store(even[i]);
                destination[2 * i + 1] = TElement.Store(odd[i]);
            }
            return;
        }
        for (int i = 0; i < count; i += Lanes)
        {
            int at = Math.Min(i, count - Lanes);
            StoreZipped(destination + 2 * at, TWide.Load(even + at), TWide.Load(odd + at));
        }
    }

    private static bool HasBlocks => typeof(TVector) == typeof(Vector512<float>) && Avx512F.IsSupported;

    // By way of single precision in the cache.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeThrough(
        ushort* source, nint sourceStride, float* destination, nint destinationStride, int rows, int columns)
    {
        float* block = stackalloc float[BlockRows * BlockColumns];
        for (int row = 0; row < rows; row += BlockRows)
        {
            int blockRows = Math.Min(BlockRows, rows - row);
            for (int column = 0; column < columns; column += BlockColumns)
            {
                int blockColumns = Math.Min(BlockColumns, columns - column);
                for (int i = 0; i < blockRows; i++)
                    WidenRun(source + (row + i) * sourceStride + column, block + i * BlockColumns, blockColumns);
                TWide.Transpose(
                    block,
                    BlockColumns,
                    destination + column * destinationStride + row,
                    destinationStride,
                    blockRows,
                    blockColumns);
            }
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeBackThrough(
        float* source, nint sourceStride, ushort* destination, nint destinationStride, int rows, int columns)
    {
        float* block = stackalloc float[BlockRows * BlockColumns];
        for (int column = 0; column < columns; column += BlockRows)
        {
            int blockColumns = Math.Min(BlockRows, columns - column);
            for (int row = 0; row < rows; row += BlockColumns)
            {
                int blockRows = Math.Min(BlockColumns, rows - row);
                TWide.TransposeBack(
                    source + row * sourceStride + column, sourceStride, block, BlockColumns, blockRows, blockColumns);
                for (int i = 0; i < blockColumns; i++)
                    NarrowRun(
                        block + i * BlockColumns, destination + (column + i) * destinationStride + row, blockRows);
            }
        }
    }

    // The last vector of a run overlaps the one before it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WidenRun(ushort* source, float* destination, int count)
    {
        if (count < Lanes)
        {
            for (int i = 0; i < count; i++)
                destination[i] = TElement.Load(source[i]);
            return;
        }
        for (int i = 0; i < count; i += Lanes)
        {
            int at = Math.Min(i, count - Lanes);
            TWide.Store(destination + at, LoadStorage(source + at));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NarrowRun(float* source, ushort* destination, int count)
    {
        if (count < Lanes)
        {
            for (int j = 0; j < count; j++)
                destination[j] = TElement.Store(source[j]);
            return;
        }
        int i = 0;
        for (; i + 2 * Lanes <= count; i += 2 * Lanes)
            StoreStorage(destination + i, TWide.Load(source + i), TWide.Load(source + i + Lanes));
        for (; i < count; i += Lanes)
        {
            int at = Math.Min(i, count - Lanes);
            StoreStorage(destination + at, TWide.Load(source + at));
        }
    }
}
