using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Vectors of single precision on tensors of a 16-bit format: the arithmetic is that of <typeparamref name="TWide"/>, and
/// values are widened where they are read and rounded where they are written.
/// </summary>
/// <typeparam name="TElement">The format, <see cref="Float16Element"/> or <see cref="BFloat16Element"/>.</typeparam>
/// <typeparam name="TWide">The vector arithmetic.</typeparam>
/// <typeparam name="TVector">A vector of single precision.</typeparam>
public readonly unsafe struct NarrowSimd<TElement, TWide, TVector> : ISimd<ushort, float, TVector>
    where TElement : struct, IElement<ushort, float>
    where TWide : struct, ISimd<float, float, TVector>
    where TVector : struct
{
    // A block of a matrix on its way through single precision.
    private const int BlockRows = 16;
    private const int BlockColumns = 64;

    /// <inheritdoc/>
    public static int Lanes => TWide.Lanes;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Widen(ushort value) => TElement.Load(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Narrow(float value) => TElement.Store(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LoadStorage(ushort* source) => NarrowVectors.Load<TElement, TVector>(source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStorage(ushort* destination, TVector value) =>
        NarrowVectors.Store<TElement, TVector>(destination, value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StreamStorage(ushort* destination, TVector value) =>
        NarrowVectors.Stream<TElement, TVector>(destination, value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load(float* source) => TWide.Load(source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, TVector value) => TWide.Store(destination, value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Broadcast(float value) => TWide.Broadcast(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Add(TVector a, TVector b) => TWide.Add(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Subtract(TVector a, TVector b) => TWide.Subtract(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Multiply(TVector a, TVector b) => TWide.Multiply(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Divide(TVector a, TVector b) => TWide.Divide(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector MultiplyAdd(TVector a, TVector b, TVector c) => TWide.MultiplyAdd(a, b, c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Max(TVector a, TVector b) => TWide.Max(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Sqrt(TVector value) => TWide.Sqrt(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Constant(double value) => TWide.Constant(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Floor(TVector value) => TWide.Floor(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector PowerOfTwo(TVector exponent) => TWide.PowerOfTwo(exponent);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ZeroWhereBelow(TVector argument, TVector limit, TVector value) =>
        TWide.ZeroWhereBelow(argument, limit, value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Log(TVector value) => TWide.Log(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ZipLow(TVector a, TVector b) => TWide.ZipLow(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ZipHigh(TVector a, TVector b) => TWide.ZipHigh(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Even(TVector a, TVector b) => TWide.Even(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Odd(TVector a, TVector b) => TWide.Odd(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllWithin(TVector value, TVector low, TVector high) => TWide.AllWithin(value, low, high);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreAddresses(
        long* destination, TVector row, TVector column, long origin, long rowStep, long columnStep) =>
        TWide.StoreAddresses(destination, row, column, origin, rowStep, columnStep);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(TVector value) => TWide.Sum(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(float* sums, TVector a, TVector b, TVector c, TVector d) =>
        TWide.StoreSums(sums, a, b, c, d);

    /// <inheritdoc/>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(
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

    /// <inheritdoc/>
    [SkipLocalsInit]
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
                    NarrowRun(block + i * BlockColumns, destination + (column + i) * destinationStride + row, blockRows);
            }
        }
    }

    /// <inheritdoc/>
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

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleave(float* even, float* odd, ushort* destination, int count, bool streams = false)
    {
        float* both = stackalloc float[2 * BlockColumns];
        for (int i = 0; i < count; i += BlockColumns)
        {
            int run = Math.Min(BlockColumns, count - i);
            TWide.Interleave(even + i, odd + i, both, run);
            NarrowRun(both, destination + 2 * i, 2 * run);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WidenRun(ushort* source, float* destination, int count)
    {
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
            TWide.Store(destination + i, LoadStorage(source + i));
        for (; i < count; i++)
            destination[i] = TElement.Load(source[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NarrowRun(float* source, ushort* destination, int count)
    {
        int i = 0;
        for (; i + Lanes <= count; i += Lanes)
            StoreStorage(destination + i, TWide.Load(source + i));
        for (; i < count; i++)
            destination[i] = TElement.Store(source[i]);
    }
}
