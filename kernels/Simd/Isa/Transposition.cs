using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Transposition of small matrices: the step between channels-last memory, where the channels of one position are side
/// by side, and the lanes of a vector, which hold neighbouring positions.
/// </summary>
internal static unsafe class Transposition
{
    /// <summary>
    /// destination[c·destinationStride + r] = source[r·sourceStride + c], in vectors of at most
    /// <paramref name="vectorBytes"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<T>(
        T* source, nint sourceStride, T* destination, nint destinationStride, int rows, int columns, int vectorBytes)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            RunSingle(
                (float*)source, sourceStride, (float*)destination, destinationStride, rows, columns, vectorBytes);
            return;
        }
        Scalars(source, sourceStride, destination, destinationStride, 0, rows, 0, columns);
    }

    /// <summary>
    /// The same into a map, the values of a column of the source behind one another; past the caches where that is
    /// asked for and every vector is aligned.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunBack<T>(
        T* source,
        nint sourceStride,
        T* destination,
        nint destinationStride,
        int rows,
        int columns,
        int vectorBytes,
        bool streams)
        where T : unmanaged
    {
        int streamed = 0;
        bool isAligned = ((nint)destination | (destinationStride * sizeof(T))) % vectorBytes == 0;
        if (streams && isAligned && Avx512F.IsSupported && typeof(T) == typeof(float) && vectorBytes == 64)
        {
            streamed = rows & ~15;
            Stream((float*)source, sourceStride, (float*)destination, destinationStride, streamed, columns);
        }
        Run(
            source + streamed * sourceStride,
            sourceStride,
            destination + streamed,
            destinationStride,
            rows - streamed,
            columns,
            vectorBytes);
    }

    /// <summary>
    /// <see cref="Run"/> from a 16-bit format, two columns being one word: of rows in sixteens and columns in eights,
    /// on processors with vectors of 512 bits.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WidenBlocks<TElement>(
        ushort* source, nint sourceStride, float* destination, nint destinationStride, int rows, int columns)
    {
        for (int row = 0; row < rows; row += 16)
        {
            for (int column = 0; column < columns; column += 8)
            {
                var (a, b, c, d) = SixteenByFour(
                    (byte*)(source + row * sourceStride + column), sourceStride * sizeof(ushort));
                float* to = destination + column * destinationStride + row;
                WidenPair<TElement>(a, to, destinationStride);
                WidenPair<TElement>(b, to + 2 * destinationStride, destinationStride);
                WidenPair<TElement>(c, to + 4 * destinationStride, destinationStride);
                WidenPair<TElement>(d, to + 6 * destinationStride, destinationStride);
            }
        }
    }

    /// <summary>
    /// <see cref="Run"/> to a 16-bit format: of rows by the 32 and columns in fours, on processors with vectors of 512
    /// bits.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void NarrowBlocks<TElement>(
        float* source, nint sourceStride, ushort* destination, nint destinationStride, int rows, int columns)
    {
        nint step = sourceStride * sizeof(float);
        for (int column = 0; column < columns; column += 4)
        {
            ushort* to = destination + column * destinationStride;
            for (int row = 0; row < rows; row += 32)
            {
                var first = SixteenByFour((byte*)(source + row * sourceStride + column), step);
                var second = SixteenByFour((byte*)(source + (row + 16) * sourceStride + column), step);
                NarrowVectors.StorePair<TElement, Vector512<float>>(to + row, first.A, second.A);
                NarrowVectors.StorePair<TElement, Vector512<float>>(to + destinationStride + row, first.B, second.B);
                NarrowVectors.StorePair<TElement, Vector512<float>>(
                    to + 2 * destinationStride + row, first.C, second.C);
                NarrowVectors.StorePair<TElement, Vector512<float>>(
                    to + 3 * destinationStride + row, first.D, second.D);
            }
        }
    }

    // Two columns of sixteen rows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WidenPair<TElement>(Vector512<float> pair, float* destination, nint stride)
    {
        NarrowVectors.WidenEven<TElement>(pair.AsInt32()).Store(destination);
        NarrowVectors.WidenOdd<TElement>(pair.AsInt32()).Store(destination + stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stream(
        float* source, nint sourceStride, float* destination, nint destinationStride, int rows, int columns)
    {
        int whole = columns & ~3;
        for (int column = 0; column < whole; column += 4)
        {
            float* to = destination + column * destinationStride;
            for (int row = 0; row < rows; row += 16)
            {
                var (a, b, c, d) = SixteenByFour(
                    (byte*)(source + row * sourceStride + column), sourceStride * sizeof(float));
                a.StoreAlignedNonTemporal(to + row);
                b.StoreAlignedNonTemporal(to + destinationStride + row);
                c.StoreAlignedNonTemporal(to + 2 * destinationStride + row);
                d.StoreAlignedNonTemporal(to + 3 * destinationStride + row);
            }
        }
        Scalars(source, sourceStride, destination, destinationStride, 0, rows, whole, columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunSingle(
        float* source,
        nint sourceStride,
        float* destination,
        nint destinationStride,
        int rows,
        int columns,
        int vectorBytes)
    {
        int row = 0;
        int wholeColumns = columns & ~3;
        if (Avx512F.IsSupported && vectorBytes == 64)
        {
            int blocks = columns & ~15;
            for (; row + 16 <= rows; row += 16)
            {
                for (int column = 0; column < blocks; column += 16)
                {
                    SixteenBySixteen(
                        source + row * sourceStride + column,
                        sourceStride,
                        destination + column * destinationStride + row,
                        destinationStride);
                }
                for (int column = blocks; column < wholeColumns; column += 4)
                {
                    var (a, b, c, d) = SixteenByFour(
                        (byte*)(source + row * sourceStride + column), sourceStride * sizeof(float));
                    float* to = destination + column * destinationStride + row;
                    a.Store(to);
                    b.Store(to + destinationStride);
                    c.Store(to + 2 * destinationStride);
                    d.Store(to + 3 * destinationStride);
                }
            }
        }
        if (Avx.IsSupported && vectorBytes >= 32)
        {
            for (; row + 8 <= rows; row += 8)
            {
                for (int column = 0; column < wholeColumns; column += 4)
                {
                    EightByFour(
                        source + row * sourceStride + column,
                        sourceStride,
                        destination + column * destinationStride + row,
                        destinationStride);
                }
            }
        }
        if (Sse2.IsSupported || AdvSimd.Arm64.IsSupported)
        {
            for (; row + 4 <= rows; row += 4)
            {
                for (int column = 0; column < wholeColumns; column += 4)
                {
                    FourByFour(
                        source + row * sourceStride + column,
                        sourceStride,
                        destination + column * destinationStride + row,
                        destinationStride);
                }
            }
        }
        Scalars(source, sourceStride, destination, destinationStride, 0, row, wholeColumns, columns);
        Scalars(source, sourceStride, destination, destinationStride, row, rows, 0, columns);
    }

    // Whole lines of memory are read once: planes whose step is a power of two would take each other's place in the
    // first-level cache before the rest of a line is read.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixteenBySixteen(
        float* source, nint sourceStride, float* destination, nint destinationStride)
    {
        FourRows(source, sourceStride, out var a0, out var a1, out var a2, out var a3);
        FourRows(source + 4 * sourceStride, sourceStride, out var b0, out var b1, out var b2, out var b3);
        FourRows(source + 8 * sourceStride, sourceStride, out var c0, out var c1, out var c2, out var c3);
        FourRows(source + 12 * sourceStride, sourceStride, out var d0, out var d1, out var d2, out var d3);
        StoreColumns(a0, b0, c0, d0, destination, 4 * destinationStride);
        StoreColumns(a1, b1, c1, d1, destination + destinationStride, 4 * destinationStride);
        StoreColumns(a2, b2, c2, d2, destination + 2 * destinationStride, 4 * destinationStride);
        StoreColumns(a3, b3, c3, d3, destination + 3 * destinationStride, 4 * destinationStride);
    }

    // Four rows transposed within each 128-bit lane: lane l of the vector i holds the column 4l + i.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourRows(
        float* source,
        nint stride,
        out Vector512<float> first,
        out Vector512<float> second,
        out Vector512<float> third,
        out Vector512<float> fourth)
    {
        var a = Vector512.Load(source);
        var b = Vector512.Load(source + stride);
        var c = Vector512.Load(source + 2 * stride);
        var d = Vector512.Load(source + 3 * stride);
        var abLow = Avx512F.UnpackLow(a, b).AsDouble();
        var abHigh = Avx512F.UnpackHigh(a, b).AsDouble();
        var cdLow = Avx512F.UnpackLow(c, d).AsDouble();
        var cdHigh = Avx512F.UnpackHigh(c, d).AsDouble();
        first = Avx512F.UnpackLow(abLow, cdLow).AsSingle();
        second = Avx512F.UnpackHigh(abLow, cdLow).AsSingle();
        third = Avx512F.UnpackLow(abHigh, cdHigh).AsSingle();
        fourth = Avx512F.UnpackHigh(abHigh, cdHigh).AsSingle();
    }

    // The 128-bit lanes of four vectors, which are four rows each of four columns, as the four columns.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreColumns(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* destination, nint step)
    {
        const byte Even = 0x88;
        const byte Odd = 0xDD;
        var abEven = Avx512F.Shuffle4x128(a, b, Even);
        var abOdd = Avx512F.Shuffle4x128(a, b, Odd);
        var cdEven = Avx512F.Shuffle4x128(c, d, Even);
        var cdOdd = Avx512F.Shuffle4x128(c, d, Odd);
        Avx512F.Shuffle4x128(abEven, cdEven, Even).Store(destination);
        Avx512F.Shuffle4x128(abOdd, cdOdd, Even).Store(destination + step);
        Avx512F.Shuffle4x128(abEven, cdEven, Odd).Store(destination + 2 * step);
        Avx512F.Shuffle4x128(abOdd, cdOdd, Odd).Store(destination + 3 * step);
    }

    // Sixteen rows of four words; the step from one to the next is in bytes. Each 128-bit lane b of the vectors holds
    // the rows 4b to 4b + 3, so a transposition within the lanes leaves the sixteen rows in order.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> A, Vector512<float> B, Vector512<float> C, Vector512<float> D) SixteenByFour(
        byte* source, nint step)
    {
        var a = EveryFourthRow(source, step);
        var b = EveryFourthRow(source + step, step);
        var c = EveryFourthRow(source + 2 * step, step);
        var d = EveryFourthRow(source + 3 * step, step);
        var abLow = Avx512F.UnpackLow(a, b).AsDouble();
        var abHigh = Avx512F.UnpackHigh(a, b).AsDouble();
        var cdLow = Avx512F.UnpackLow(c, d).AsDouble();
        var cdHigh = Avx512F.UnpackHigh(c, d).AsDouble();
        return (
            Avx512F.UnpackLow(abLow, cdLow).AsSingle(),
            Avx512F.UnpackHigh(abLow, cdLow).AsSingle(),
            Avx512F.UnpackLow(abHigh, cdHigh).AsSingle(),
            Avx512F.UnpackHigh(abHigh, cdHigh).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> EveryFourthRow(byte* source, nint step)
    {
        var value = Vector128.Load((float*)source).ToVector256Unsafe().ToVector512Unsafe();
        value = Avx512F.InsertVector128(value, Vector128.Load((float*)(source + 4 * step)), 1);
        value = Avx512F.InsertVector128(value, Vector128.Load((float*)(source + 8 * step)), 2);
        return Avx512F.InsertVector128(value, Vector128.Load((float*)(source + 12 * step)), 3);
    }

    // As sixteen rows, in two lanes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void EightByFour(float* source, nint sourceStride, float* destination, nint destinationStride)
    {
        var a = WithFourthRow(source, sourceStride);
        var b = WithFourthRow(source + sourceStride, sourceStride);
        var c = WithFourthRow(source + 2 * sourceStride, sourceStride);
        var d = WithFourthRow(source + 3 * sourceStride, sourceStride);
        var abLow = Avx.UnpackLow(a, b).AsDouble();
        var abHigh = Avx.UnpackHigh(a, b).AsDouble();
        var cdLow = Avx.UnpackLow(c, d).AsDouble();
        var cdHigh = Avx.UnpackHigh(c, d).AsDouble();
        Avx.UnpackLow(abLow, cdLow).AsSingle().Store(destination);
        Avx.UnpackHigh(abLow, cdLow).AsSingle().Store(destination + destinationStride);
        Avx.UnpackLow(abHigh, cdHigh).AsSingle().Store(destination + 2 * destinationStride);
        Avx.UnpackHigh(abHigh, cdHigh).AsSingle().Store(destination + 3 * destinationStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> WithFourthRow(float* source, nint stride) => Avx.InsertVector128(
        Vector128.Load(source).ToVector256Unsafe(), Vector128.Load(source + 4 * stride), 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourByFour(float* source, nint sourceStride, float* destination, nint destinationStride)
    {
        var a = Vector128.Load(source);
        var b = Vector128.Load(source + sourceStride);
        var c = Vector128.Load(source + 2 * sourceStride);
        var d = Vector128.Load(source + 3 * sourceStride);
        var abLow = ZipLow(a, b).AsDouble();
        var abHigh = ZipHigh(a, b).AsDouble();
        var cdLow = ZipLow(c, d).AsDouble();
        var cdHigh = ZipHigh(c, d).AsDouble();
        ZipLow(abLow, cdLow).AsSingle().Store(destination);
        ZipHigh(abLow, cdLow).AsSingle().Store(destination + destinationStride);
        ZipLow(abHigh, cdHigh).AsSingle().Store(destination + 2 * destinationStride);
        ZipHigh(abHigh, cdHigh).AsSingle().Store(destination + 3 * destinationStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipLow(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipHigh(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> ZipLow(Vector128<double> a, Vector128<double> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> ZipHigh(Vector128<double> a, Vector128<double> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scalars<T>(
        T* source,
        nint sourceStride,
        T* destination,
        nint destinationStride,
        int firstRow,
        int endRow,
        int firstColumn,
        int endColumn)
        where T : unmanaged
    {
        for (int row = firstRow; row < endRow; row++)
        {
            for (int column = firstColumn; column < endColumn; column++)
                destination[column * destinationStride + row] = source[row * sourceStride + column];
        }
    }
}
