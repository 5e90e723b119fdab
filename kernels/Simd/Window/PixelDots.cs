using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Scores with the lanes over channels, for queries that lie in memory with their channels side by side: four queries
/// and a row of taps are multiplied vector by vector as they are, where
/// <see cref="WindowSteps{TSimd, TStorage, TReal, TVector}.Dots"/> would transpose them first. The sums over the lanes
/// are put off until four vectors can be added at once. With 512 bits and single precision only, whose registers hold
/// the twenty sums of four queries and five taps.
/// </summary>
internal static unsafe class PixelDots<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int Lanes = 16;

    // The taps of a row whose sums with four queries the registers hold.
    private const int MostTaps = 5;

    // The vectors whose lanes are added together, and the values of one that result.
    private const int Group = 4;

    /// <summary>Whether the queries can be multiplied as they lie in memory.</summary>
    public static bool Fits(in MapView<TStorage> query, in WindowExtent extent, int channels) =>
        Avx512F.IsSupported
            && typeof(TVector) == typeof(Vector512<float>)
            && query.ChannelStride == 1
            && channels % Lanes == 0
            && extent.IsUniform;

    /// <summary>The values of scratch memory that a strip needs.</summary>
    public static long ScratchLength(in WindowExtent extent, int channels) =>
        4L * channels + Padded(extent.Taps) * Lanes + (long)Lanes * SumStride(extent.Taps);

    /// <summary>scores[tap][4][lanes] = ⟨query, key at tap⟩ for a query pack of every cell of a strip.</summary>
    /// <param name="query">The queries.</param>
    /// <param name="keys">The keys around the strip, staged pixel by pixel.</param>
    /// <param name="extent">The problem.</param>
    /// <param name="strip">The cells.</param>
    /// <param name="row">Their row.</param>
    /// <param name="pack">The query pack.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="scratchValues">Space for <see cref="ScratchLength"/> values.</param>
    /// <param name="scores">Where the scores go; those of taps outside the map are arbitrary.</param>
    /// <param name="next">What is asked for meanwhile, a step with every cell.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(
        in MapPointer<TStorage> query,
        in PixelWindow<TSimd, TStorage, TReal, TVector> keys,
        in WindowExtent extent,
        in Strip strip,
        int row,
        int pack,
        int channels,
        TReal* scratchValues,
        TReal* scores,
        ref PrefetchQueue next)
    {
        int window = extent.Window;
        int radius = extent.Radius;
        TReal* staged = scratchValues;
        TReal* partials = staged + 4 * channels;
        TReal* sums = partials + Padded(extent.Taps) * Lanes;
        nint stride = SumStride(extent.Taps);
        int firstRow = Math.Max(0, radius - row);
        int endRow = Math.Min(window, extent.Height - row + radius);
        var queries = StripQueries.Locate(in extent, row, strip.Column);
        nint cellStep = queries.Columns * query.ColumnStride;
        TStorage* q0 = queries.At(in query, strip.Image, 0, pack * 4);
        TStorage* q1 = queries.At(in query, strip.Image, 0, pack * 4 + 1);
        TStorage* q2 = queries.At(in query, strip.Image, 0, pack * 4 + 2);
        TStorage* q3 = queries.At(in query, strip.Image, 0, pack * 4 + 3);
        for (int lane = 0; lane < strip.Columns; lane++)
        {
            int column = strip.Column + lane;
            int firstColumn = Math.Max(0, radius - column);
            int endColumn = Math.Min(window, extent.Width - column + radius);
            nint cell = lane * cellStep;
            var own = new QueryPack(q0 + cell, q1 + cell, q2 + cell, q3 + cell, staged, channels);
            for (int y = firstRow; y < endRow; y++)
            {
                TReal* tap = keys.Rows[y] + (nint)(lane + firstColumn) * keys.Stride;
                TReal* partial = partials + (y * window + firstColumn) * Lanes;
                for (int left = endColumn - firstColumn; left > 0; left -= MostTaps)
                {
                    Taps(in own, tap, Math.Min(MostTaps, left), keys.Stride, channels, partial);
                    tap += MostTaps * keys.Stride;
                    partial += MostTaps * Lanes;
                }
            }
            AddLanes((float*)partials, extent.Taps, (float*)(sums + lane * stride));
            next.Step();
        }
        Transposition.Run(
            sums, stride, scores, Lanes, strip.Columns, 4 * extent.Taps, Vector512<byte>.Count);
    }

    private static int Padded(int taps) => (taps + Group - 1) / Group * Group;

    // One vector more than whole ones, so that the cells do not all fall on the same lines of the cache.
    private static int SumStride(int taps) => Padded(taps) * 4 + Lanes;

    private static void Taps(in QueryPack queries, TReal* taps, int count, nint stride, int channels, TReal* partials)
    {
        switch (count)
        {
            case 1:
                Taps<One>(in queries, taps, stride, channels, partials);
                break;
            case 2:
                Taps<Two>(in queries, taps, stride, channels, partials);
                break;
            case 3:
                Taps<Three>(in queries, taps, stride, channels, partials);
                break;
            case 4:
                Taps<Four>(in queries, taps, stride, channels, partials);
                break;
            default:
                Taps<Five>(in queries, taps, stride, channels, partials);
                break;
        }
    }

    // Written out, so that all sums stay in registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Taps<TTaps>(in QueryPack queries, TReal* taps, nint stride, int channels, TReal* partials)
        where TTaps : struct, ICount
    {
        TReal* q0 = queries.First;
        TReal* q1 = queries.Second;
        TReal* q2 = queries.Third;
        TReal* q3 = queries.Fourth;
        TReal* t1 = taps + stride;
        TReal* t2 = t1 + stride;
        TReal* t3 = t2 + stride;
        TReal* t4 = t3 + stride;
        var zero = TSimd.Constant(0.0);
        TVector s00 = zero, s01 = zero, s02 = zero, s03 = zero;
        TVector s10 = zero, s11 = zero, s12 = zero, s13 = zero;
        TVector s20 = zero, s21 = zero, s22 = zero, s23 = zero;
        TVector s30 = zero, s31 = zero, s32 = zero, s33 = zero;
        TVector s40 = zero, s41 = zero, s42 = zero, s43 = zero;
        for (nint channel = 0; channel < channels; channel += Lanes)
        {
            var a = TSimd.Load(q0 + channel);
            var b = TSimd.Load(q1 + channel);
            var c = TSimd.Load(q2 + channel);
            var d = TSimd.Load(q3 + channel);
            var tap = TSimd.Load(taps + channel);
            s00 = TSimd.MultiplyAdd(a, tap, s00);
            s01 = TSimd.MultiplyAdd(b, tap, s01);
            s02 = TSimd.MultiplyAdd(c, tap, s02);
            s03 = TSimd.MultiplyAdd(d, tap, s03);
            if (TTaps.Value > 1)
            {
                tap = TSimd.Load(t1 + channel);
                s10 = TSimd.MultiplyAdd(a, tap, s10);
                s11 = TSimd.MultiplyAdd(b, tap, s11);
                s12 = TSimd.MultiplyAdd(c, tap, s12);
                s13 = TSimd.MultiplyAdd(d, tap, s13);
            }
            if (TTaps.Value > 2)
            {
                tap = TSimd.Load(t2 + channel);
                s20 = TSimd.MultiplyAdd(a, tap, s20);
                s21 = TSimd.MultiplyAdd(b, tap, s21);
                s22 = TSimd.MultiplyAdd(c, tap, s22);
                s23 = TSimd.MultiplyAdd(d, tap, s23);
            }
            if (TTaps.Value > 3)
            {
                tap = TSimd.Load(t3 + channel);
                s30 = TSimd.MultiplyAdd(a, tap, s30);
                s31 = TSimd.MultiplyAdd(b, tap, s31);
                s32 = TSimd.MultiplyAdd(c, tap, s32);
                s33 = TSimd.MultiplyAdd(d, tap, s33);
            }
            if (TTaps.Value > 4)
            {
                tap = TSimd.Load(t4 + channel);
                s40 = TSimd.MultiplyAdd(a, tap, s40);
                s41 = TSimd.MultiplyAdd(b, tap, s41);
                s42 = TSimd.MultiplyAdd(c, tap, s42);
                s43 = TSimd.MultiplyAdd(d, tap, s43);
            }
        }
        Keep(partials, s00, s01, s02, s03);
        if (TTaps.Value > 1)
            Keep(partials + Lanes, s10, s11, s12, s13);
        if (TTaps.Value > 2)
            Keep(partials + 2 * Lanes, s20, s21, s22, s23);
        if (TTaps.Value > 3)
            Keep(partials + 3 * Lanes, s30, s31, s32, s33);
        if (TTaps.Value > 4)
            Keep(partials + 4 * Lanes, s40, s41, s42, s43);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(TReal* partials, TVector a, TVector b, TVector c, TVector d) =>
        LaneSums.Quarters(Single(a), Single(b), Single(c), Single(d)).Store((float*)partials);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Single(TVector vector) => Unsafe.BitCast<TVector, Vector512<float>>(vector);

    // The quarters of four taps added, [tap][query].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddLanes(float* partials, int taps, float* sums)
    {
        const byte Even = 0x88;
        const byte Odd = 0xDD;
        for (int tap = 0; tap < taps; tap += Group)
        {
            var a = Vector512.Load(partials);
            var b = Vector512.Load(partials + Lanes);
            var c = Vector512.Load(partials + 2 * Lanes);
            var d = Vector512.Load(partials + 3 * Lanes);
            var ab = Avx512F.Shuffle4x128(a, b, Even) + Avx512F.Shuffle4x128(a, b, Odd);
            var cd = Avx512F.Shuffle4x128(c, d, Even) + Avx512F.Shuffle4x128(c, d, Odd);
            (Avx512F.Shuffle4x128(ab, cd, Even) + Avx512F.Shuffle4x128(ab, cd, Odd)).Store(sums);
            partials += Group * Lanes;
            sums += Group * 4;
        }
    }

    // Four queries of a cell, widened where they are narrow.
    private readonly struct QueryPack
    {
        public readonly TReal* First;
        public readonly TReal* Second;
        public readonly TReal* Third;
        public readonly TReal* Fourth;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public QueryPack(TStorage* q0, TStorage* q1, TStorage* q2, TStorage* q3, TReal* staged, int channels)
        {
            First = Widened(q0, staged, channels);
            Second = Widened(q1, staged + channels, channels);
            Third = Widened(q2, staged + 2 * channels, channels);
            Fourth = Widened(q3, staged + 3 * channels, channels);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TReal* Widened(TStorage* query, TReal* staged, int channels)
        {
            if (typeof(TStorage) == typeof(TReal))
                return (TReal*)query;
            TSimd.Gather(query, 1, staged, channels);
            return staged;
        }
    }
}
