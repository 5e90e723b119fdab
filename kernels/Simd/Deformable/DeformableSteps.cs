using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The steps that the CPU programs for points are made of, each for one group of a run of queries. Values of points are
/// [point][query]; the products of a query's features and the cells around its points are [point][corner][query].
/// </summary>
internal static unsafe class DeformableSteps<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int Length = DeformableTable<TSimd, TStorage, TReal, TVector>.Length;
    private const int Corners = DeformableTable<TSimd, TStorage, TReal, TVector>.Corners;

    /// <summary>The scratch values that <see cref="Products"/> needs.</summary>
    public static long ScratchLength(int points) => (long)Length * SumStride(points);

    /// <summary>products = ⟨features, cell⟩, with the lanes over channels.</summary>
    /// <param name="features">The features, query by query.</param>
    /// <param name="stride">The elements from one query to the next.</param>
    /// <param name="cells">The cells, [point][corner][query].</param>
    /// <param name="points">The points.</param>
    /// <param name="queries">The queries.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="scratchValues">Space for <see cref="ScratchLength"/> values.</param>
    /// <param name="products">Where they go.</param>
    /// <param name="first">The first channel of the cells.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Products(
        TReal* features, int stride, long* cells, int points, int queries, int channels, TReal* scratchValues, TReal* products, int first =
            0)
    {
        int sumStride = SumStride(points);
        for (int i = 0; i < queries; i++)
            Multiply(features + (nint)i * stride, cells + i, points, scratchValues + i * sumStride, channels, first);
        Transposition.Run(
            scratchValues, sumStride, products, Length, Length, points * Corners, TSimd.Lanes * sizeof(TReal));
    }

    /// <summary>The similarities of features and map at the points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scores(TReal* bilinearWeights, TReal* products, int points, TReal* scores)
    {
        for (int point = 0; point < points; point++)
        {
            for (int i = 0; i < Length; i += TSimd.Lanes)
            {
                var sum = TSimd.Multiply(TSimd.Load(bilinearWeights + i), TSimd.Load(products + i));
                for (int corner = Length; corner < Corners * Length; corner += Length)
                    sum = TSimd.MultiplyAdd(
                        TSimd.Load(bilinearWeights + corner + i), TSimd.Load(products + corner + i), sum);
                TSimd.Store(scores + i, sum);
            }
            bilinearWeights += Corners * Length;
            products += Corners * Length;
            scores += Length;
        }
    }

    /// <summary>slopes += weight · the derivatives of the similarity, across before down.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddSlopes(
        TReal* products, in DeformableTable<TSimd, TStorage, TReal, TVector> table, TReal* weights, int points, TReal* slopes)
    {
        for (int entry = 0; entry < points * Length; entry += TSimd.Lanes)
        {
            TReal* product = products + entry / Length * Corners * Length + entry % Length;
            TReal* across = slopes + entry / Length * 2 * Length + entry % Length;
            TReal* down = across + Length;
            var a = TSimd.Load(product);
            var b = TSimd.Load(product + Length);
            var c = TSimd.Load(product + 2 * Length);
            var d = TSimd.Load(product + 3 * Length);
            var upper = TSimd.Subtract(b, a);
            var left = TSimd.Subtract(c, a);
            var lower = TSimd.Subtract(d, c);
            var right = TSimd.Subtract(d, b);
            var fractionDown = TSimd.Load(table.Down + entry);
            var fractionAcross = TSimd.Load(table.Across + entry);
            var weight = TSimd.Load(weights + entry);
            var slopeAcross = TSimd.MultiplyAdd(fractionDown, TSimd.Subtract(lower, upper), upper);
            var slopeDown = TSimd.MultiplyAdd(fractionAcross, TSimd.Subtract(right, left), left);
            TSimd.Store(across, TSimd.MultiplyAdd(weight, slopeAcross, TSimd.Load(across)));
            TSimd.Store(down, TSimd.MultiplyAdd(weight, slopeDown, TSimd.Load(down)));
        }
    }

    /// <summary>Turns scores into weights, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Softmax(TReal* scores, int points)
    {
        for (int i = 0; i < Length; i += TSimd.Lanes)
        {
            TReal* own = scores + i;
            var shift = ScoreWeights<TSimd, TStorage, TReal, TVector, SoftmaxNormalisation>.Shift(own, Length, points);
            ScoreWeights<TSimd, TStorage, TReal, TVector, SoftmaxNormalisation>.Forward(own, Length, points, shift);
        }
    }

    /// <summary>Turns the gradients dw of the weights into those of the scores, w·(dw − Σ w·dw), in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SoftmaxBackward(TReal* weights, TReal* gradients, int points)
    {
        for (int i = 0; i < Length; i += TSimd.Lanes)
        {
            var mean = TSimd.Constant(0.0);
            for (int entry = i; entry < points * Length; entry += Length)
                mean = TSimd.MultiplyAdd(TSimd.Load(weights + entry), TSimd.Load(gradients + entry), mean);
            for (int entry = i; entry < points * Length; entry += Length)
            {
                var centred = TSimd.Subtract(TSimd.Load(gradients + entry), mean);
                TSimd.Store(gradients + entry, TSimd.Multiply(TSimd.Load(weights + entry), centred));
            }
        }
    }

    /// <summary>sums += the cells around the points of a run of queries, each with its bilinear weight.</summary>
    /// <param name="cells">The cells, [point][corner][query].</param>
    /// <param name="bilinearWeights">The bilinear weights, [point][corner][query].</param>
    /// <param name="count">The cells of a query.</param>
    /// <param name="queries">The queries.</param>
    /// <param name="sums">The sums, query by query.</param>
    /// <param name="stride">The elements from one query to the next.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="first">The first channel of the cells.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddCells(
        long* cells, TReal* bilinearWeights, int count, int queries, TReal* sums, int stride, int channels, int first =
            0)
    {
        for (int i = 0; i < queries; i++)
            AddCells(cells + i, bilinearWeights + i, count, sums + (nint)i * stride, channels, first);
    }

    /// <summary>
    /// Adds the cells around the points of one query. Eight sums at a time, so that a multiply-add does not wait for the one
    /// before: of eight vectors, or of four of every second cell.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddCells(
        long* cells, TReal* bilinearWeights, int count, TReal* sums, int channels, int first = 0)
    {
        int lanes = TSimd.Lanes;
        int channel = 0;
        for (; channel + 8 * lanes <= channels; channel += 8 * lanes)
            AddEightVectors(cells, bilinearWeights, count, sums + channel, first + channel);
        for (; channel + 4 * lanes <= channels; channel += 4 * lanes)
            AddFourVectors(cells, bilinearWeights, count, sums + channel, first + channel);
        for (; channel + lanes <= channels; channel += lanes)
            AddVector(cells, bilinearWeights, count, sums + channel, first + channel);
        for (; channel < channels; channel++)
        {
            for (int i = 0; i < count; i++)
                sums[channel] += bilinearWeights[i * Length] * TSimd.Widen(
                    ((TStorage*)cells[i * Length])[first + channel]);
        }
    }

    /// <summary>
    /// cell += bilinear weight · features, for all cells around the points of a query; whole vectors are computed.
    /// </summary>
    /// <param name="cells">The cells, [point][corner][query], at the query.</param>
    /// <param name="toSums">The bytes from a cell to its sums.</param>
    /// <param name="bilinearWeights">The bilinear weights, [point][corner][query], at the query.</param>
    /// <param name="count">The cells of a query.</param>
    /// <param name="features">The features of the query.</param>
    /// <param name="channels">The channels.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Spread(
        long* cells, nint toSums, TReal* bilinearWeights, int count, TReal* features, int channels)
    {
        int lanes = TSimd.Lanes;
        long* end = cells + count * Length;
        int channel = 0;
        for (; channel + 4 * lanes <= channels; channel += 4 * lanes)
        {
            var f0 = TSimd.Load(features + channel);
            var f1 = TSimd.Load(features + channel + lanes);
            var f2 = TSimd.Load(features + channel + 2 * lanes);
            var f3 = TSimd.Load(features + channel + 3 * lanes);
            nint offset = toSums + (nint)channel * sizeof(TReal);
            TReal* weight = bilinearWeights;
            for (long* cell = cells; cell < end; cell += Length)
            {
                var bilinearWeight = TSimd.Broadcast(*weight);
                TReal* sum = (TReal*)((nint)(*cell) + offset);
                TSimd.Store(sum, TSimd.MultiplyAdd(bilinearWeight, f0, TSimd.Load(sum)));
                TSimd.Store(sum + lanes, TSimd.MultiplyAdd(bilinearWeight, f1, TSimd.Load(sum + lanes)));
                TSimd.Store(sum + 2 * lanes, TSimd.MultiplyAdd(bilinearWeight, f2, TSimd.Load(sum + 2 * lanes)));
                TSimd.Store(sum + 3 * lanes, TSimd.MultiplyAdd(bilinearWeight, f3, TSimd.Load(sum + 3 * lanes)));
                weight += Length;
            }
        }
        for (; channel + 2 * lanes <= channels; channel += 2 * lanes)
        {
            var f0 = TSimd.Load(features + channel);
            var f1 = TSimd.Load(features + channel + lanes);
            nint offset = toSums + (nint)channel * sizeof(TReal);
            TReal* weight = bilinearWeights;
            for (long* cell = cells; cell < end; cell += Length)
            {
                var bilinearWeight = TSimd.Broadcast(*weight);
                TReal* sum = (TReal*)((nint)(*cell) + offset);
                TSimd.Store(sum, TSimd.MultiplyAdd(bilinearWeight, f0, TSimd.Load(sum)));
                TSimd.Store(sum + lanes, TSimd.MultiplyAdd(bilinearWeight, f1, TSimd.Load(sum + lanes)));
                weight += Length;
            }
        }
        for (; channel < channels; channel += lanes)
        {
            var feature = TSimd.Load(features + channel);
            nint offset = toSums + (nint)channel * sizeof(TReal);
            TReal* weight = bilinearWeights;
            for (long* cell = cells; cell < end; cell += Length)
            {
                TReal* sum = (TReal*)((nint)(*cell) + offset);
                TSimd.Store(sum, TSimd.MultiplyAdd(TSimd.Broadcast(*weight), feature, TSimd.Load(sum)));
                weight += Length;
            }
        }
    }

    // A little more than whole vectors, so that the queries do not all fall on the same lines of the cache.
    private static int SumStride(int points) => (points * Corners + Length - 1) / Length * Length + Length;

    // sums[point][corner] = ⟨features, cell⟩ of a query, of two points at a time: eight sums that do not wait for one another.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(TReal* features, long* cells, int points, TReal* sums, int channels, int first)
    {
        int lanes = TSimd.Lanes;
        int whole = channels / lanes * lanes;
        int point = 0;
        for (; point + 2 <= points; point += 2)
        {
            TStorage* a = (TStorage*)cells[0] + first;
            TStorage* b = (TStorage*)cells[Length] + first;
            TStorage* c = (TStorage*)cells[2 * Length] + first;
            TStorage* d = (TStorage*)cells[3 * Length] + first;
            TStorage* e = (TStorage*)cells[4 * Length] + first;
            TStorage* f = (TStorage*)cells[5 * Length] + first;
            TStorage* g = (TStorage*)cells[6 * Length] + first;
            TStorage* h = (TStorage*)cells[7 * Length] + first;
            var zero = TSimd.Constant(0.0);
            TVector sa = zero, sb = zero, sc = zero, sd = zero, se = zero, sf = zero, sg = zero, sh = zero;
            for (nint channel = 0; channel < whole; channel += lanes)
            {
                var feature = TSimd.Load(features + channel);
                sa = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(a + channel), sa);
                sb = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(b + channel), sb);
                sc = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(c + channel), sc);
                sd = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(d + channel), sd);
                se = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(e + channel), se);
                sf = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(f + channel), sf);
                sg = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(g + channel), sg);
                sh = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(h + channel), sh);
            }
            TSimd.StoreSums(sums, sa, sb, sc, sd);
            TSimd.StoreSums(sums + Corners, se, sf, sg, sh);
            AddRest(features, cells, sums, whole, channels, first);
            AddRest(features, cells + Corners * Length, sums + Corners, whole, channels, first);
            cells += 2 * Corners * Length;
            sums += 2 * Corners;
        }
        if (point < points)
            MultiplyPoint(features, cells, sums, whole, channels, first);
    }

    private static void MultiplyPoint(
        TReal* features, long* cells, TReal* sums, int whole, int channels, int first)
    {
        TStorage* a = (TStorage*)cells[0] + first;
        TStorage* b = (TStorage*)cells[Length] + first;
        TStorage* c = (TStorage*)cells[2 * Length] + first;
        TStorage* d = (TStorage*)cells[3 * Length] + first;
        var zero = TSimd.Constant(0.0);
        TVector sa = zero, sb = zero, sc = zero, sd = zero;
        for (nint channel = 0; channel < whole; channel += TSimd.Lanes)
        {
            var feature = TSimd.Load(features + channel);
            sa = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(a + channel), sa);
            sb = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(b + channel), sb);
            sc = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(c + channel), sc);
            sd = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(d + channel), sd);
        }
        TSimd.StoreSums(sums, sa, sb, sc, sd);
        AddRest(features, cells, sums, whole, channels, first);
    }

    // The channels past the last whole vector.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRest(TReal* features, long* cells, TReal* sums, int whole, int channels, int first)
    {
        for (int channel = whole; channel < channels; channel++)
        {
            for (int corner = 0; corner < Corners; corner++)
                sums[corner] += features[channel] * TSimd.Widen(((TStorage*)cells[corner * Length])[first + channel]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddEightVectors(long* cells, TReal* bilinearWeights, int count, TReal* sums, int channel)
    {
        int lanes = TSimd.Lanes;
        var s0 = TSimd.Load(sums);
        var s1 = TSimd.Load(sums + lanes);
        var s2 = TSimd.Load(sums + 2 * lanes);
        var s3 = TSimd.Load(sums + 3 * lanes);
        var s4 = TSimd.Load(sums + 4 * lanes);
        var s5 = TSimd.Load(sums + 5 * lanes);
        var s6 = TSimd.Load(sums + 6 * lanes);
        var s7 = TSimd.Load(sums + 7 * lanes);
        nint offset = (nint)channel * sizeof(TStorage);
        for (long* end = cells + count * Length; cells < end; cells += Length)
        {
            var weight = TSimd.Broadcast(*bilinearWeights);
            TStorage* cell = (TStorage*)((nint)(*cells) + offset);
            s0 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell), s0);
            s1 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell + lanes), s1);
            s2 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell + 2 * lanes), s2);
            s3 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell + 3 * lanes), s3);
            s4 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell + 4 * lanes), s4);
            s5 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell + 5 * lanes), s5);
            s6 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell + 6 * lanes), s6);
            s7 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell + 7 * lanes), s7);
            bilinearWeights += Length;
        }
        TSimd.Store(sums, s0);
        TSimd.Store(sums + lanes, s1);
        TSimd.Store(sums + 2 * lanes, s2);
        TSimd.Store(sums + 3 * lanes, s3);
        TSimd.Store(sums + 4 * lanes, s4);
        TSimd.Store(sums + 5 * lanes, s5);
        TSimd.Store(sums + 6 * lanes, s6);
        TSimd.Store(sums + 7 * lanes, s7);
    }

    // Cells come in fours.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddFourVectors(long* cells, TReal* bilinearWeights, int count, TReal* sums, int channel)
    {
        int lanes = TSimd.Lanes;
        var zero = TSimd.Constant(0.0);
        TVector a0 = zero, a1 = zero, a2 = zero, a3 = zero;
        var b0 = TSimd.Load(sums);
        var b1 = TSimd.Load(sums + lanes);
        var b2 = TSimd.Load(sums + 2 * lanes);
        var b3 = TSimd.Load(sums + 3 * lanes);
        nint offset = (nint)channel * sizeof(TStorage);
        for (long* end = cells + count * Length; cells < end; cells += 2 * Length)
        {
            var weight = TSimd.Broadcast(*bilinearWeights);
            TStorage* cell = (TStorage*)((nint)(*cells) + offset);
            b0 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell), b0);
            b1 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell + lanes), b1);
            b2 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell + 2 * lanes), b2);
            b3 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell + 3 * lanes), b3);
            weight = TSimd.Broadcast(bilinearWeights[Length]);
            cell = (TStorage*)((nint)cells[Length] + offset);
            a0 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell), a0);
            a1 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell + lanes), a1);
            a2 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell + 2 * lanes), a2);
            a3 = TSimd.MultiplyAdd(weight, TSimd.LoadStorage(cell + 3 * lanes), a3);
            bilinearWeights += 2 * Length;
        }
        TSimd.Store(sums, TSimd.Add(a0, b0));
        TSimd.Store(sums + lanes, TSimd.Add(a1, b1));
        TSimd.Store(sums + 2 * lanes, TSimd.Add(a2, b2));
        TSimd.Store(sums + 3 * lanes, TSimd.Add(a3, b3));
    }

    // One sum for each corner, so that a multiply-add does not wait for the one before.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddVector(long* cells, TReal* bilinearWeights, int count, TReal* sums, int channel)
    {
        var zero = TSimd.Constant(0.0);
        TVector a = TSimd.Load(sums), b = zero, c = zero, d = zero;
        for (int i = 0; i < count; i += Corners)
        {
            TReal* bilinearWeight = bilinearWeights + i * Length;
            long* cell = cells + i * Length;
            a = TSimd.MultiplyAdd(TSimd.Broadcast(bilinearWeight[0]), Load(cell[0], channel), a);
            b = TSimd.MultiplyAdd(TSimd.Broadcast(bilinearWeight[Length]), Load(cell[Length], channel), b);
            c = TSimd.MultiplyAdd(TSimd.Broadcast(bilinearWeight[2 * Length]), Load(cell[2 * Length], channel), c);
            d = TSimd.MultiplyAdd(TSimd.Broadcast(bilinearWeight[3 * Length]), Load(cell[3 * Length], channel), d);
        }
        TSimd.Store(sums, TSimd.Add(TSimd.Add(a, b), TSimd.Add(c, d)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Load(long cell, int channel) => TSimd.LoadStorage((TStorage*)cell + channel);
}
