using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The steps that the CPU programs of the window gather are made of, each on one query pack of a strip of cells.
/// The lanes of a vector are neighbouring cells; score tiles are [tap][4][lanes].
/// </summary>
internal static unsafe class WindowSteps<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    /// <summary>
    /// The channels worked at a time, so that queries and keys of a chunk stay in the first-level cache.
    /// </summary>
    public const int ChannelChunk = 64;

    // The taps, vectors or channels whose sums with four queries, or for them, the registers hold.
    private static int AtOnce
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => VectorRegisters.Are32(TSimd.Lanes * sizeof(TReal)) ? 4 : 2;
    }

    /// <summary>
    /// scores[tap] = ⟨query, key at tap⟩ for the four queries of every lane, over a chunk of the channels; taps four at a
    /// time, sixteen multiply-adds for eight loads, or two where there are fewer registers: all accumulators stay in them.
    /// </summary>
    /// <param name="queries">The queries of the chunk, [channel][4][lanes].</param>
    /// <param name="taps">The first channel of every tap.</param>
    /// <param name="tapCount">The taps.</param>
    /// <param name="keyStride">The elements from one channel of the keys to the next.</param>
    /// <param name="first">The first channel of the chunk; the products of all but the first are added.</param>
    /// <param name="channels">The channels of the chunk.</param>
    /// <param name="scores">The scores.</param>
    /// <param name="next">What is asked for meanwhile.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dots(
        TReal* queries,
        TReal** taps,
        int tapCount,
        nint keyStride,
        int first,
        int channels,
        TReal* scores,
        ref PrefetchQueue next)
    {
        int lanes = TSimd.Lanes;
        nint keyOffset = first * keyStride;
        int tap = 0;
        for (; tap + AtOnce <= tapCount; tap += AtOnce)
        {
            TReal* own = scores + (nint)tap * 4 * lanes;
            if (AtOnce == 4)
                ScoreTaps<Four>(queries, taps + tap, keyOffset, keyStride, channels, own, first > 0);
            else
                ScoreTaps<Two>(queries, taps + tap, keyOffset, keyStride, channels, own, first > 0);
            next.Step();
        }
        for (; tap < tapCount; tap++)
            OneTap(queries, taps[tap] + keyOffset, keyStride, channels, scores + (nint)tap * 4 * lanes, first > 0);
    }

    /// <summary>
    /// Gives taps outside the map their score, where they do not stand for a cell inside; their keys were staged as
    /// zeros.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ScoreOutside<TBorder>(
        TReal* scores, in WindowExtent extent, in Strip strip, int row, TReal outside)
        where TBorder : struct, IBorder
    {
        int radius = extent.Radius;
        int lanes = TSimd.Lanes;
        if (TBorder.Replicates || IsInside(in extent, in strip, row))
            return;
        for (int tap = 0; tap < extent.Taps; tap++)
        {
            int tapRow = row + tap / extent.Window - radius;
            int tapColumn = strip.Column + tap % extent.Window - radius;
            if (tapRow < 0 || tapRow >= extent.Height)
            {
                new Span<TReal>(scores + (nint)tap * 4 * lanes, 4 * lanes).Fill(outside);
                continue;
            }
            int first = Math.Clamp(-tapColumn, 0, strip.Columns);
            int end = Math.Clamp(extent.Width - tapColumn, first, strip.Columns);
            if (first == 0 && end == strip.Columns)
                continue;
            for (int member = 0; member < 4; member++)
            {
                TReal* score = scores + ((nint)tap * 4 + member) * lanes;
                for (int lane = 0; lane < first; lane++)
                    score[lane] = outside;
                for (int lane = end; lane < strip.Columns; lane++)
                    score[lane] = outside;
            }
        }
    }

    /// <summary>
    /// Adds the weights of taps outside the map to those of the cells that they stand for, and clears them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fold(TReal* weights, in WindowExtent extent, in Strip strip, int row)
    {
        int radius = extent.Radius;
        int lanes = TSimd.Lanes;
        if (IsInside(in extent, in strip, row))
            return;
        for (int tap = 0; tap < extent.Taps; tap++)
        {
            int tapRow = row + tap / extent.Window - radius;
            int ownRow = AxisTaps.Clamp(tapRow, extent.Height);
            for (int lane = 0; lane < strip.Columns; lane++)
            {
                int column = strip.Column + lane;
                int tapColumn = column + tap % extent.Window - radius;
                int ownColumn = AxisTaps.Clamp(tapColumn, extent.Width);
                if (ownRow == tapRow && ownColumn == tapColumn)
                    continue;
                int own = (ownRow - row + radius) * extent.Window + ownColumn - column + radius;
                for (int member = 0; member < 4; member++)
                {
                    TReal* weight = weights + ((nint)tap * 4 + member) * lanes + lane;
                    weights[((nint)own * 4 + member) * lanes + lane] += *weight;
                    *weight = TReal.Zero;
                }
            }
        }
    }

    /// <summary>
    /// Turns scores into weights, in place. What the backward needs of the query pack, [4][lanes], is saved where it is
    /// asked for: the logarithm of the sum of the unshifted unnormalised weights where scores are shifted, else the
    /// sum.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Normalise<TNormalisation>(TReal* scores, int tapCount, TReal* normaliser)
        where TNormalisation : struct, IScoreNormalisation
    {
        int lanes = TSimd.Lanes;
        nint stride = 4 * lanes;
        for (int member = 0; member < 4; member++)
        {
            TReal* own = scores + member * lanes;
            var shift = ScoreWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.Shift(own, stride, tapCount);
            var sum = ScoreWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.Forward(
                own, stride, tapCount, shift);
            if (normaliser is not null)
            {
                TSimd.Store(
                    normaliser + member * lanes,
                    TNormalisation.SubtractsMaximum ? TSimd.Add(shift, TSimd.Log(sum))
                    : TNormalisation.Shifts
                        ? TSimd.Multiply(sum, SimdMath<TSimd, TStorage, TReal, TVector>.Exp(shift))
                        : sum);
            }
        }
    }

    /// <summary>
    /// Turns scores into weights W once more and the gradients dW of the weights into those of the scores,
    /// p'/S·(dW − Σ W·dW), both in place. Shifted unnormalised weights are divided by their sum again: next to scores
    /// of 10⁴ the rounding of the saved logarithm alone is off by 10⁻³.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void NormaliseBackward<TNormalisation>(
        TReal* scores, TReal* gradients, int tapCount, TReal* normaliser)
        where TNormalisation : struct, IScoreNormalisation
    {
        int lanes = TSimd.Lanes;
        nint stride = 4 * lanes;
        for (int member = 0; member < 4; member++)
        {
            TReal* score = scores + member * lanes;
            TReal* gradient = gradients + member * lanes;
            var shift = TNormalisation.SubtractsMaximum
                ? TSimd.Load(normaliser + member * lanes)
                : ScoreWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.Shift(score, stride, tapCount);
            var sum = ScoreWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.Repeat(
                score, gradient, stride, tapCount, shift, out var mean);
            var factor = TSimd.Constant(1.0);
            if (TNormalisation.Divides)
            {
                factor = TSimd.Divide(factor, sum);
                mean = TSimd.Multiply(mean, factor);
            }
            else
            {
                mean = TSimd.Constant(0.0);
            }
            for (int tap = 0; tap < tapCount; tap++)
            {
                var unnormalised = TSimd.Load(score + tap * stride);
                var centred = TSimd.Subtract(TSimd.Load(gradient + tap * stride), mean);
                var slope = TSimd.Multiply(
                    TNormalisation.SlopeOf<TSimd, TStorage, TReal, TVector>(unnormalised), factor);
                TSimd.Store(score + tap * stride, TSimd.Multiply(unnormalised, factor));
                TSimd.Store(gradient + tap * stride, TSimd.Multiply(slope, centred));
            }
        }
    }

    /// <summary>
    /// The strips whose weights are kept for <see cref="SumsOverCells"/>, beside the values that they meet in the
    /// first-level cache.
    /// </summary>
    public static int StripsAtOnce(int tapCount, int columns)
    {
        const int MostBytes = 28 << 10;
        return Math.Clamp(
            MostBytes / (tapCount * 4 * TSimd.Lanes * sizeof(TReal)), 1, (columns + TSimd.Lanes - 1) / TSimd.Lanes);
    }

    /// <summary>
    /// output = Σ weights · value with the lanes over cells, four channels at a time, from staged rows; for maps in
    /// the contiguous format and for maps of fewer channels than a vector has lanes.
    /// </summary>
    /// <param name="weights">The weights of one strip or more, [strip][tap][4][lanes].</param>
    /// <param name="taps">The staged values, where the first of the strips starts.</param>
    /// <param name="tapCount">The taps.</param>
    /// <param name="valueStride">The elements from one channel of the values to the next.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="tile">Space for 16 vectors.</param>
    /// <param name="output">Where the sums go.</param>
    /// <param name="strips">The cells of all strips.</param>
    /// <param name="row">Their row.</param>
    /// <param name="pack">The query pack.</param>
    /// <param name="extent">The problem.</param>
    /// <param name="next">What is asked for meanwhile.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SumsOverCells(
        TReal* weights,
        TReal** taps,
        int tapCount,
        nint valueStride,
        int channels,
        TReal* tile,
        in MapPointer<TStorage> output,
        in Strip strips,
        int row,
        int pack,
        in WindowExtent extent,
        ref PrefetchQueue next)
    {
        int lanes = TSimd.Lanes;
        bool streams = StreamingStores.IsWorthwhile<TStorage>(
            (long)extent.Batch * extent.Rows.Queries * extent.Columns.Queries * channels);
        var queries = StripQueries.Locate(in extent, row, strips.Column);
        bool isPairs = extent.IsUniform && QueryPackTile<TSimd, TStorage, TReal, TVector>.IsPairs(
            in queries, in output);
        for (int channel = 0; channel < channels; channel += 4)
        {
            int count = Math.Min(4, channels - channel);
            for (int strip = 0; strip < strips.Strips(lanes); strip++)
            {
                int column = strips.StripStart(strip, lanes);
                TReal* own = weights + (nint)strip * 4 * lanes * tapCount;
                nint offset = channel * valueStride + column;
                next.Step();
                if (isPairs && count == 4 && strips.Columns >= lanes)
                {
                    TStorage* pairs = output.At(strips.Image, channel, queries.Row, queries.Column + 2 * column);
                    bool streamsPairs = streams && IsAligned(pairs, in output);
                    FourChannels(
                        own, taps, tapCount, offset, valueStride, new PairTargets(pairs, in output, streamsPairs));
                    continue;
                }
                FourChannels(own, taps, tapCount, offset, valueStride, new TileTarget(tile));
                QueryPackTile<TSimd, TStorage, TReal, TVector>.Store(
                    tile, in output, strips.Part(column, lanes), row, pack, in extent, channel, count, streams);
            }
        }
        if (streams)
            StreamingStores.Complete();
    }

    /// <summary>The steps in which the scores of a strip are computed.</summary>
    public static int DotSteps(int channels, int tapCount) =>
        (channels + ChannelChunk - 1) / ChannelChunk * (tapCount / AtOnce);

    /// <summary>The steps in which the sums of a strip are computed.</summary>
    public static int SumSteps(bool overChannels, int channels, int columns) =>
        overChannels
            ? columns * ((channels + AtOnce * TSimd.Lanes - 1) / (AtOnce * TSimd.Lanes))
            : (channels + 3) / 4;

    /// <summary>
    /// output = Σ weights · value with the lanes over channels, from staged cells to channels-last memory; the last
    /// vector overlaps the one before it when the channels are no multiple of the lanes. On the way, the memory that
    /// the next row will read is asked for.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SumsOverChannels(
        TReal* weights,
        in PixelWindow<TSimd, TStorage, TReal, TVector> value,
        int channels,
        in MapPointer<TStorage> output,
        in WindowExtent extent,
        in Strip strip,
        int row,
        int pack,
        ref PrefetchQueue next)
    {
        int lanes = TSimd.Lanes;
        int radius = extent.Radius;
        bool streams = StreamingStores.IsWorthwhile(in output, in extent, channels, lanes * sizeof(TStorage));
        int firstRow = Math.Max(0, radius - row);
        int endRow = Math.Min(extent.Window, extent.Height - row + radius);
        bool uniform = extent.IsUniform;
        var queries = StripQueries.Locate(in extent, row, strip.Column);
        var targets = new QueryPackTargets(in queries, pack, output.RowStride, output.ColumnStride);
        var walk = new WindowWalk
        {
            Rows = endRow - firstRow,
            WeightRowStep = (nint)extent.Window * 4 * lanes,
            ValueColumnStep = value.Stride,
        };
        TReal* weightRow = weights + firstRow * walk.WeightRowStep;
        TReal** valueRows = value.Rows + firstRow;
        nint cellStep = queries.Columns * output.ColumnStride;
        int channel = 0;
        while (channel < channels)
        {
            int block = channels - channel >= AtOnce * lanes ? AtOnce * lanes : lanes;
            int start = Math.Min(channel, channels - block);
            TStorage* outputRow = output.At(strip.Image, start, queries.Row, queries.Column);
            bool streamsBlock = streams && start % lanes == 0;
            for (int lane = 0; lane < strip.Columns; lane++)
            {
                int column = strip.Column + lane;
                int firstColumn = Math.Max(0, radius - column);
                walk.Columns = Math.Min(extent.Window, extent.Width - column + radius) - firstColumn;
                walk.ValueOffset = (nint)(lane + firstColumn) * value.Stride + start;
                TReal* weight = weightRow + (nint)firstColumn * 4 * lanes + lane;
                TStorage* destination = outputRow + lane * cellStep;
                if (!uniform)
                    OneCell(weight, valueRows, in walk, in output, in extent, in strip, row, pack, lane, start, block);
                else if (block == lanes)
                    OneVector(weight, valueRows, in walk, destination, in targets);
                else
                    Vectors(weight, valueRows, in walk, destination, in targets, streamsBlock);
                next.Step();
            }
            channel += block;
        }
        if (streams)
            StreamingStores.Complete();
    }

    // A cell whose number of queries is its own.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OneCell(
        TReal* weights,
        TReal** rows,
        in WindowWalk walk,
        in MapPointer<TStorage> output,
        in WindowExtent extent,
        in Strip strip,
        int row,
        int pack,
        int lane,
        int channel,
        int channels)
    {
        var queries = StripQueries.Locate(in extent, row, strip.Column + lane);
        var targets = new QueryPackTargets(in queries, pack, output.RowStride, output.ColumnStride);
        if (targets.Members <= 0)
            return;
        TStorage* destination = output.At(strip.Image, channel, queries.Row, queries.Column);
        if (channels == TSimd.Lanes)
            OneVector(weights, rows, in walk, destination, in targets);
        else
            Vectors(weights, rows, in walk, destination, in targets, streams: false);
    }

    // Whether the windows of a row of a strip lie inside the map.
    private static bool IsInside(in WindowExtent extent, in Strip strip, int row) =>
        row >= extent.Radius && row + extent.Radius < extent.Height
        && strip.Column >= extent.Radius && strip.Column + strip.Columns + extent.Radius <= extent.Width;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScoreTaps<TTaps>(
        TReal* query, TReal** taps, nint keyOffset, nint keyStride, int channels, TReal* scores, bool accumulate)
        where TTaps : struct, ICount
    {
        TReal* key0 = taps[0] + keyOffset;
        TReal* key1 = taps[1] + keyOffset;
        TReal* key2 = TTaps.Value > 2 ? taps[2] + keyOffset : key1;
        TReal* key3 = TTaps.Value > 2 ? taps[3] + keyOffset : key1;
        int lanes = TSimd.Lanes;
        var zero = TSimd.Constant(0.0);
        TVector s00 = zero, s01 = zero, s02 = zero, s03 = zero;
        TVector s10 = zero, s11 = zero, s12 = zero, s13 = zero;
        TVector s20 = zero, s21 = zero, s22 = zero, s23 = zero;
        TVector s30 = zero, s31 = zero, s32 = zero, s33 = zero;
        if (accumulate)
        {
            s00 = TSimd.Load(scores);
            s01 = TSimd.Load(scores + lanes);
            s02 = TSimd.Load(scores + 2 * lanes);
            s03 = TSimd.Load(scores + 3 * lanes);
            s10 = TSimd.Load(scores + 4 * lanes);
            s11 = TSimd.Load(scores + 5 * lanes);
            s12 = TSimd.Load(scores + 6 * lanes);
            s13 = TSimd.Load(scores + 7 * lanes);
            if (TTaps.Value > 2)
            {
                s20 = TSimd.Load(scores + 8 * lanes);
                s21 = TSimd.Load(scores + 9 * lanes);
                s22 = TSimd.Load(scores + 10 * lanes);
                s23 = TSimd.Load(scores + 11 * lanes);
                s30 = TSimd.Load(scores + 12 * lanes);
                s31 = TSimd.Load(scores + 13 * lanes);
                s32 = TSimd.Load(scores + 14 * lanes);
                s33 = TSimd.Load(scores + 15 * lanes);
            }
        }
        nint offset = 0;
        for (int channel = 0; channel < channels; channel++)
        {
            var q0 = TSimd.Load(query);
            var q1 = TSimd.Load(query + lanes);
            var q2 = TSimd.Load(query + 2 * lanes);
            var q3 = TSimd.Load(query + 3 * lanes);
            var k = TSimd.Load(key0 + offset);
            s00 = TSimd.MultiplyAdd(q0, k, s00);
            s01 = TSimd.MultiplyAdd(q1, k, s01);
            s02 = TSimd.MultiplyAdd(q2, k, s02);
            s03 = TSimd.MultiplyAdd(q3, k, s03);
            k = TSimd.Load(key1 + offset);
            s10 = TSimd.MultiplyAdd(q0, k, s10);
            s11 = TSimd.MultiplyAdd(q1, k, s11);
            s12 = TSimd.MultiplyAdd(q2, k, s12);
            s13 = TSimd.MultiplyAdd(q3, k, s13);
            if (TTaps.Value > 2)
            {
                k = TSimd.Load(key2 + offset);
                s20 = TSimd.MultiplyAdd(q0, k, s20);
                s21 = TSimd.MultiplyAdd(q1, k, s21);
                s22 = TSimd.MultiplyAdd(q2, k, s22);
                s23 = TSimd.MultiplyAdd(q3, k, s23);
                k = TSimd.Load(key3 + offset);
                s30 = TSimd.MultiplyAdd(q0, k, s30);
                s31 = TSimd.MultiplyAdd(q1, k, s31);
                s32 = TSimd.MultiplyAdd(q2, k, s32);
                s33 = TSimd.MultiplyAdd(q3, k, s33);
            }
            query += 4 * lanes;
            offset += keyStride;
        }
        TSimd.Store(scores, s00);
        TSimd.Store(scores + lanes, s01);
        TSimd.Store(scores + 2 * lanes, s02);
        TSimd.Store(scores + 3 * lanes, s03);
        TSimd.Store(scores + 4 * lanes, s10);
        TSimd.Store(scores + 5 * lanes, s11);
        TSimd.Store(scores + 6 * lanes, s12);
        TSimd.Store(scores + 7 * lanes, s13);
        if (TTaps.Value > 2)
        {
            TSimd.Store(scores + 8 * lanes, s20);
            TSimd.Store(scores + 9 * lanes, s21);
            TSimd.Store(scores + 10 * lanes, s22);
            TSimd.Store(scores + 11 * lanes, s23);
            TSimd.Store(scores + 12 * lanes, s30);
            TSimd.Store(scores + 13 * lanes, s31);
            TSimd.Store(scores + 14 * lanes, s32);
            TSimd.Store(scores + 15 * lanes, s33);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneTap(TReal* query, TReal* key, nint keyStride, int channels, TReal* scores, bool accumulate)
    {
        int lanes = TSimd.Lanes;
        var zero = TSimd.Constant(0.0);
        var s0 = accumulate ? TSimd.Load(scores) : zero;
        var s1 = accumulate ? TSimd.Load(scores + lanes) : zero;
        var s2 = accumulate ? TSimd.Load(scores + 2 * lanes) : zero;
        var s3 = accumulate ? TSimd.Load(scores + 3 * lanes) : zero;
        for (int channel = 0; channel < channels; channel++)
        {
            var k = TSimd.Load(key);
            s0 = TSimd.MultiplyAdd(TSimd.Load(query), k, s0);
            s1 = TSimd.MultiplyAdd(TSimd.Load(query + lanes), k, s1);
            s2 = TSimd.MultiplyAdd(TSimd.Load(query + 2 * lanes), k, s2);
            s3 = TSimd.MultiplyAdd(TSimd.Load(query + 3 * lanes), k, s3);
            query += 4 * lanes;
            key += keyStride;
        }
        TSimd.Store(scores, s0);
        TSimd.Store(scores + lanes, s1);
        TSimd.Store(scores + 2 * lanes, s2);
        TSimd.Store(scores + 3 * lanes, s3);
    }

    private static void FourChannels<TTarget>(
        TReal* weights, TReal** taps, int tapCount, nint channelOffset, nint valueStride, TTarget target)
        where TTarget : struct, ICellTarget
    {
        if (AtOnce == 4)
        {
            SumChannels<Four, TTarget>(weights, taps, tapCount, channelOffset, valueStride, target, first: 0);
            return;
        }
        SumChannels<Two, TTarget>(weights, taps, tapCount, channelOffset, valueStride, target, first: 0);
        SumChannels<Two, TTarget>(weights, taps, tapCount, channelOffset, valueStride, target, first: 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumChannels<TChannels, TTarget>(
        TReal* weights, TReal** taps, int tapCount, nint channelOffset, nint valueStride, TTarget target, int first)
        where TChannels : struct, ICount
        where TTarget : struct, ICellTarget
    {
        int lanes = TSimd.Lanes;
        channelOffset += first * valueStride;
        var zero = TSimd.Constant(0.0);
        TVector s00 = zero, s01 = zero, s02 = zero, s03 = zero;
        TVector s10 = zero, s11 = zero, s12 = zero, s13 = zero;
        TVector s20 = zero, s21 = zero, s22 = zero, s23 = zero;
        TVector s30 = zero, s31 = zero, s32 = zero, s33 = zero;
        for (int tap = 0; tap < tapCount; tap++)
        {
            TReal* value = taps[tap] + channelOffset;
            var w0 = TSimd.Load(weights);
            var w1 = TSimd.Load(weights + lanes);
            var w2 = TSimd.Load(weights + 2 * lanes);
            var w3 = TSimd.Load(weights + 3 * lanes);
            var v = TSimd.Load(value);
            s00 = TSimd.MultiplyAdd(w0, v, s00);
            s01 = TSimd.MultiplyAdd(w1, v, s01);
            s02 = TSimd.MultiplyAdd(w2, v, s02);
            s03 = TSimd.MultiplyAdd(w3, v, s03);
            v = TSimd.Load(value + valueStride);
            s10 = TSimd.MultiplyAdd(w0, v, s10);
            s11 = TSimd.MultiplyAdd(w1, v, s11);
            s12 = TSimd.MultiplyAdd(w2, v, s12);
            s13 = TSimd.MultiplyAdd(w3, v, s13);
            if (TChannels.Value > 2)
            {
                v = TSimd.Load(value + 2 * valueStride);
                s20 = TSimd.MultiplyAdd(w0, v, s20);
                s21 = TSimd.MultiplyAdd(w1, v, s21);
                s22 = TSimd.MultiplyAdd(w2, v, s22);
                s23 = TSimd.MultiplyAdd(w3, v, s23);
                v = TSimd.Load(value + 3 * valueStride);
                s30 = TSimd.MultiplyAdd(w0, v, s30);
                s31 = TSimd.MultiplyAdd(w1, v, s31);
                s32 = TSimd.MultiplyAdd(w2, v, s32);
                s33 = TSimd.MultiplyAdd(w3, v, s33);
            }
            weights += 4 * lanes;
        }
        target.Store(first, s00, s01, s02, s03);
        target.Store(first + 1, s10, s11, s12, s13);
        if (TChannels.Value > 2)
        {
            target.Store(first + 2, s20, s21, s22, s23);
            target.Store(first + 3, s30, s31, s32, s33);
        }
    }

    private static void Vectors(
        TReal* weights, TReal** rows, in WindowWalk walk, TStorage* destination, in QueryPackTargets targets, bool streams)
    {
        if (AtOnce == 4)
            SumVectors<Four>(weights, rows, in walk, destination, in targets, streams);
        else
            SumVectors<Two>(weights, rows, in walk, destination, in targets, streams);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumVectors<TVectors>(
        TReal* weights, TReal** rows, in WindowWalk walk, TStorage* destination, in QueryPackTargets targets, bool streams)
        where TVectors : struct, ICount
    {
        int lanes = TSimd.Lanes;
        int columns = walk.Columns;
        nint step = walk.ValueColumnStep;
        var zero = TSimd.Constant(0.0);
        TVector s00 = zero, s01 = zero, s02 = zero, s03 = zero;
        TVector s10 = zero, s11 = zero, s12 = zero, s13 = zero;
        TVector s20 = zero, s21 = zero, s22 = zero, s23 = zero;
        TVector s30 = zero, s31 = zero, s32 = zero, s33 = zero;
        for (int row = 0; row < walk.Rows; row++)
        {
            TReal* weight = weights;
            TReal* value = rows[row] + walk.ValueOffset;
            for (int column = 0; column < columns; column++)
            {
                var v0 = TSimd.Load(value);
                var v1 = TSimd.Load(value + lanes);
                var v2 = TVectors.Value > 2 ? TSimd.Load(value + 2 * lanes) : zero;
                var v3 = TVectors.Value > 2 ? TSimd.Load(value + 3 * lanes) : zero;
                var w = TSimd.Broadcast(*weight);
                s00 = TSimd.MultiplyAdd(w, v0, s00);
                s01 = TSimd.MultiplyAdd(w, v1, s01);
                if (TVectors.Value > 2)
                {
                    s02 = TSimd.MultiplyAdd(w, v2, s02);
                    s03 = TSimd.MultiplyAdd(w, v3, s03);
                }
                w = TSimd.Broadcast(weight[lanes]);
                s10 = TSimd.MultiplyAdd(w, v0, s10);
                s11 = TSimd.MultiplyAdd(w, v1, s11);
                if (TVectors.Value > 2)
                {
                    s12 = TSimd.MultiplyAdd(w, v2, s12);
                    s13 = TSimd.MultiplyAdd(w, v3, s13);
                }
                w = TSimd.Broadcast(weight[2 * lanes]);
                s20 = TSimd.MultiplyAdd(w, v0, s20);
                s21 = TSimd.MultiplyAdd(w, v1, s21);
                if (TVectors.Value > 2)
                {
                    s22 = TSimd.MultiplyAdd(w, v2, s22);
                    s23 = TSimd.MultiplyAdd(w, v3, s23);
                }
                w = TSimd.Broadcast(weight[3 * lanes]);
                s30 = TSimd.MultiplyAdd(w, v0, s30);
                s31 = TSimd.MultiplyAdd(w, v1, s31);
                if (TVectors.Value > 2)
                {
                    s32 = TSimd.MultiplyAdd(w, v2, s32);
                    s33 = TSimd.MultiplyAdd(w, v3, s33);
                }
                weight += 4 * lanes;
                value += step;
            }
            weights += walk.WeightRowStep;
        }
        Store<TVectors>(destination + targets.First, s00, s01, s02, s03, streams);
        if (targets.Members > 1)
            Store<TVectors>(destination + targets.Second, s10, s11, s12, s13, streams);
        if (targets.Members > 2)
            Store<TVectors>(destination + targets.Third, s20, s21, s22, s23, streams);
        if (targets.Members > 3)
            Store<TVectors>(destination + targets.Fourth, s30, s31, s32, s33, streams);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneVector(
        TReal* weights, TReal** rows, in WindowWalk walk, TStorage* destination, in QueryPackTargets targets)
    {
        int lanes = TSimd.Lanes;
        var zero = TSimd.Constant(0.0);
        TVector s0 = zero, s1 = zero, s2 = zero, s3 = zero;
        for (int row = 0; row < walk.Rows; row++)
        {
            TReal* weight = weights;
            TReal* value = rows[row] + walk.ValueOffset;
            for (int column = 0; column < walk.Columns; column++)
            {
                var v = TSimd.Load(value);
                s0 = TSimd.MultiplyAdd(TSimd.Broadcast(*weight), v, s0);
                s1 = TSimd.MultiplyAdd(TSimd.Broadcast(weight[lanes]), v, s1);
                s2 = TSimd.MultiplyAdd(TSimd.Broadcast(weight[2 * lanes]), v, s2);
                s3 = TSimd.MultiplyAdd(TSimd.Broadcast(weight[3 * lanes]), v, s3);
                weight += 4 * lanes;
                value += walk.ValueColumnStep;
            }
            weights += walk.WeightRowStep;
        }
        TSimd.StoreStorage(destination + targets.First, s0);
        if (targets.Members > 1)
            TSimd.StoreStorage(destination + targets.Second, s1);
        if (targets.Members > 2)
            TSimd.StoreStorage(destination + targets.Third, s2);
        if (targets.Members > 3)
            TSimd.StoreStorage(destination + targets.Fourth, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TVectors>(
        TStorage* destination, TVector a, TVector b, TVector c, TVector d, bool streams)
        where TVectors : struct, ICount
    {
        int lanes = TSimd.Lanes;
        if (streams)
        {
            TSimd.StreamStorage(destination, a, b);
            if (TVectors.Value > 2)
                TSimd.StreamStorage(destination + 2 * lanes, c, d);
            return;
        }
        TSimd.StoreStorage(destination, a, b);
        if (TVectors.Value > 2)
            TSimd.StoreStorage(destination + 2 * lanes, c, d);
    }

    // Whether the rows of pairs of all channels start at the boundary of a vector when one does.
    private static bool IsAligned(TStorage* pairs, in MapPointer<TStorage> output)
    {
        int bytes = TSimd.Lanes * sizeof(TStorage);
        return (nint)pairs % bytes == 0
            && output.ChannelStride * sizeof(TStorage) % bytes == 0
            && output.RowStride * sizeof(TStorage) % bytes == 0;
    }

    // Where the sums of a channel go, four queries of every lane.
    private interface ICellTarget
    {
        void Store(int channel, TVector q0, TVector q1, TVector q2, TVector q3);
    }

    // To scratch memory, from where QuadTile takes them.
    private readonly struct TileTarget(TReal* tile) : ICellTarget
    {
        private readonly TReal* tile = tile;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(int channel, TVector q0, TVector q1, TVector q2, TVector q3)
        {
            int lanes = TSimd.Lanes;
            TReal* own = tile + channel * 4 * lanes;
            TSimd.Store(own, q0);
            TSimd.Store(own + lanes, q1);
            TSimd.Store(own + 2 * lanes, q2);
            TSimd.Store(own + 3 * lanes, q3);
        }
    }

    // To two rows of pairs of queries.
    private readonly struct PairTargets(TStorage* upper, in MapPointer<TStorage> output, bool streams) : ICellTarget
    {
        private readonly TStorage* upper = upper;
        private readonly nint channelStride = output.ChannelStride;
        private readonly nint rowStride = output.RowStride;
        private readonly bool streams = streams;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(int channel, TVector q0, TVector q1, TVector q2, TVector q3)
        {
            TStorage* own = upper + channel * channelStride;
            StorePair(own, q0, q1);
            StorePair(own + rowStride, q2, q3);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void StorePair(TStorage* destination, TVector even, TVector odd)
        {
            if (streams)
                TSimd.StreamZipped(destination, even, odd);
            else
                TSimd.StoreZipped(destination, even, odd);
        }
    }
}

/// <summary>The part of a window that lies inside the map, as steps through weights and values.</summary>
internal struct WindowWalk
{
    public int Rows;
    public int Columns;
    public nint WeightRowStep;
    public nint ValueColumnStep;
    public nint ValueOffset;
}

/// <summary>Where the queries of a query pack are written, as offsets from the first query of their cell.</summary>
internal readonly struct QueryPackTargets
{
    public readonly nint First;
    public readonly nint Second;
    public readonly nint Third;
    public readonly nint Fourth;

    /// <summary>The queries that the query pack has; 4, or fewer in the last query pack of a cell.</summary>
    public readonly int Members;

    public QueryPackTargets(in StripQueries queries, int pack, nint rowStride, nint columnStride)
    {
        int columns = Math.Max(1, queries.Columns);
        nint Query(int index) => index / columns * rowStride + index % columns * columnStride;

        First = Query(pack * 4);
        Second = Query(pack * 4 + 1);
        Third = Query(pack * 4 + 2);
        Fourth = Query(pack * 4 + 3);
        Members = Math.Min(4, queries.Count - pack * 4);
    }
}
