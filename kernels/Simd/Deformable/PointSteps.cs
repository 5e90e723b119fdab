using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The steps that the CPU programs for points are made of, each for one group of a run of queries. Values of points are
/// [point][query]; the products of a query's features and the cells around its points are [point][corner][query].
/// </summary>
internal static unsafe class PointSteps<TSimd, TStorage, T, TVector>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int Length = PointTable<TSimd, TStorage, T, TVector>.Length;
    private const int Corners = PointTable<TSimd, TStorage, T, TVector>.Corners;

    /// <summary>The room that <see cref="Products"/> needs.</summary>
    public static long RoomFor(int points) => (long)Length * SumStride(points);

    /// <summary>products = ⟨features, cell⟩, with the lanes over channels.</summary>
    /// <param name="features">The features, query by query.</param>
    /// <param name="stride">The elements from one query to the next.</param>
    /// <param name="cells">The cells, [point][corner][query].</param>
    /// <param name="points">The points.</param>
    /// <param name="queries">The queries.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="room">Room for <see cref="RoomFor"/> values.</param>
    /// <param name="products">Where they go.</param>
    /// <param name="first">The first channel of the cells.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Products(
        T* features, int stride, long* cells, int points, int queries, int channels, T* room, T* products, int first = 0)
    {
        int sumStride = SumStride(points);
        for (int i = 0; i < queries; i++)
            Multiply(features + (nint)i * stride, cells + i, points, room + i * sumStride, channels, first);
        Transposition.Run(room, sumStride, products, Length, Length, points * Corners, TSimd.Lanes * sizeof(T));
    }

    /// <summary>The similarities of features and map at the points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scores(T* shares, T* products, int points, T* scores)
    {
        for (int point = 0; point < points; point++)
        {
            for (int i = 0; i < Length; i += TSimd.Lanes)
            {
                var sum = TSimd.Multiply(TSimd.Load(shares + i), TSimd.Load(products + i));
                for (int corner = Length; corner < Corners * Length; corner += Length)
                    sum = TSimd.MultiplyAdd(TSimd.Load(shares + corner + i), TSimd.Load(products + corner + i), sum);
                TSimd.Store(scores + i, sum);
            }
            shares += Corners * Length;
            products += Corners * Length;
            scores += Length;
        }
    }

    /// <summary>slopes += weight · the derivatives of the similarity, across before down.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddSlopes(
        T* products, in PointTable<TSimd, TStorage, T, TVector> table, T* weights, int points, T* slopes)
    {
        for (int entry = 0; entry < points * Length; entry += TSimd.Lanes)
        {
            T* product = products + entry / Length * Corners * Length + entry % Length;
            T* across = slopes + entry / Length * 2 * Length + entry % Length;
            T* down = across + Length;
            var a = TSimd.Load(product);
            var b = TSimd.Load(product + Length);
            var c = TSimd.Load(product + 2 * Length);
            var d = TSimd.Load(product + 3 * Length);
            var upper = TSimd.Subtract(b, a);
            var left = TSimd.Subtract(c, a);
            var lower = TSimd.Subtract(d, c);
            var right = TSimd.Subtract(d, b);
            var wayDown = TSimd.Load(table.Down + entry);
            var wayAcross = TSimd.Load(table.Across + entry);
            var weight = TSimd.Load(weights + entry);
            var slopeAcross = TSimd.MultiplyAdd(wayDown, TSimd.Subtract(lower, upper), upper);
            var slopeDown = TSimd.MultiplyAdd(wayAcross, TSimd.Subtract(right, left), left);
            TSimd.Store(across, TSimd.MultiplyAdd(weight, slopeAcross, TSimd.Load(across)));
            TSimd.Store(down, TSimd.MultiplyAdd(weight, slopeDown, TSimd.Load(down)));
        }
    }

    /// <summary>Turns scores into weights, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Softmax(T* scores, int points)
    {
        for (int i = 0; i < Length; i += TSimd.Lanes)
        {
            T* own = scores + i;
            T* end = own + points * Length;
            var shift = TSimd.Load(own);
            for (T* score = own; score < end; score += Length)
                shift = TSimd.Max(shift, TSimd.Load(score));
            var sum = TSimd.Constant(0.0);
            for (T* score = own; score < end; score += Length)
            {
                var power = SoftmaxNormalisation.PowerOf<TSimd, TStorage, T, TVector>(
                    TSimd.Subtract(TSimd.Load(score), shift));
                TSimd.Store(score, power);
                sum = TSimd.Add(sum, power);
            }
            var factor = TSimd.Divide(TSimd.Constant(1.0), sum);
            for (T* score = own; score < end; score += Length)
                TSimd.Store(score, TSimd.Multiply(TSimd.Load(score), factor));
        }
    }

    /// <summary>Turns the gradients dw of the weights into those of the scores, w·(dw − Σ w·dw), in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SoftmaxBackward(T* weights, T* gradients, int points)
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

    /// <summary>sums += the cells around the points of a run of queries, each with its share.</summary>
    /// <param name="cells">The cells, [point][corner][query].</param>
    /// <param name="shares">The shares, [point][corner][query].</param>
    /// <param name="count">The cells of a query.</param>
    /// <param name="queries">The queries.</param>
    /// <param name="sums">The sums, query by query.</param>
    /// <param name="stride">The elements from one query to the next.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="first">The first channel of the cells.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddCells(
        long* cells, T* shares, int count, int queries, T* sums, int stride, int channels, int first = 0)
    {
        for (int i = 0; i < queries; i++)
            AddCells(cells + i, shares + i, count, sums + (nint)i * stride, channels, first);
    }

    /// <summary>Adds the cells around the points of one query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddCells(long* cells, T* shares, int count, T* sums, int channels, int first = 0)
    {
        int lanes = TSimd.Lanes;
        int channel = 0;
        for (; channel + 4 * lanes <= channels; channel += 4 * lanes)
        {
            T* own = sums + channel;
            var s0 = TSimd.Load(own);
            var s1 = TSimd.Load(own + lanes);
            var s2 = TSimd.Load(own + 2 * lanes);
            var s3 = TSimd.Load(own + 3 * lanes);
            for (int i = 0; i < count; i++)
            {
                var share = TSimd.Broadcast(shares[i * Length]);
                TStorage* cell = (TStorage*)cells[i * Length] + first + channel;
                s0 = TSimd.MultiplyAdd(share, TSimd.LoadStorage(cell), s0);
                s1 = TSimd.MultiplyAdd(share, TSimd.LoadStorage(cell + lanes), s1);
                s2 = TSimd.MultiplyAdd(share, TSimd.LoadStorage(cell + 2 * lanes), s2);
                s3 = TSimd.MultiplyAdd(share, TSimd.LoadStorage(cell + 3 * lanes), s3);
            }
            TSimd.Store(own, s0);
            TSimd.Store(own + lanes, s1);
            TSimd.Store(own + 2 * lanes, s2);
            TSimd.Store(own + 3 * lanes, s3);
        }
        for (; channel + lanes <= channels; channel += lanes)
            AddVector(cells, shares, count, sums + channel, first + channel);
        for (; channel < channels; channel++)
        {
            for (int i = 0; i < count; i++)
                sums[channel] += shares[i * Length] * TSimd.Widen(((TStorage*)cells[i * Length])[first + channel]);
        }
    }

    /// <summary>cell += share · features, for all cells around the points of a query; whole vectors are computed.</summary>
    /// <param name="cells">The cells, [point][corner][query], at the query.</param>
    /// <param name="toSums">The bytes from a cell to its sums.</param>
    /// <param name="shares">The shares, [point][corner][query], at the query.</param>
    /// <param name="count">The cells of a query.</param>
    /// <param name="features">The features of the query.</param>
    /// <param name="channels">The channels.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Spread(long* cells, nint toSums, T* shares, int count, T* features, int channels)
    {
        int lanes = TSimd.Lanes;
        int channel = 0;
        for (; channel + 4 * lanes <= channels; channel += 4 * lanes)
        {
            var f0 = TSimd.Load(features + channel);
            var f1 = TSimd.Load(features + channel + lanes);
            var f2 = TSimd.Load(features + channel + 2 * lanes);
            var f3 = TSimd.Load(features + channel + 3 * lanes);
            for (int i = 0; i < count; i++)
            {
                var share = TSimd.Broadcast(shares[i * Length]);
                T* sum = (T*)((nint)cells[i * Length] + toSums) + channel;
                TSimd.Store(sum, TSimd.MultiplyAdd(share, f0, TSimd.Load(sum)));
                TSimd.Store(sum + lanes, TSimd.MultiplyAdd(share, f1, TSimd.Load(sum + lanes)));
                TSimd.Store(sum + 2 * lanes, TSimd.MultiplyAdd(share, f2, TSimd.Load(sum + 2 * lanes)));
                TSimd.Store(sum + 3 * lanes, TSimd.MultiplyAdd(share, f3, TSimd.Load(sum + 3 * lanes)));
            }
        }
        for (; channel < channels; channel += lanes)
        {
            var feature = TSimd.Load(features + channel);
            for (int i = 0; i < count; i++)
            {
                T* sum = (T*)((nint)cells[i * Length] + toSums) + channel;
                TSimd.Store(sum, TSimd.MultiplyAdd(TSimd.Broadcast(shares[i * Length]), feature, TSimd.Load(sum)));
            }
        }
    }

    // A little more than whole vectors, so that the queries do not all fall on the same lines of the cache.
    private static int SumStride(int points) => (points * Corners + Length - 1) / Length * Length + Length;

    // sums[point][corner] = ⟨features, cell⟩ of a query.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(T* features, long* cells, int points, T* sums, int channels, int first)
    {
        int lanes = TSimd.Lanes;
        for (int point = 0; point < points; point++)
        {
            TStorage* a = (TStorage*)cells[0] + first;
            TStorage* b = (TStorage*)cells[Length] + first;
            TStorage* c = (TStorage*)cells[2 * Length] + first;
            TStorage* d = (TStorage*)cells[3 * Length] + first;
            var zero = TSimd.Constant(0.0);
            TVector sa = zero, sb = zero, sc = zero, sd = zero;
            int channel = 0;
            for (; channel + lanes <= channels; channel += lanes)
            {
                var feature = TSimd.Load(features + channel);
                sa = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(a + channel), sa);
                sb = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(b + channel), sb);
                sc = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(c + channel), sc);
                sd = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(d + channel), sd);
            }
            TSimd.StoreSums(sums, sa, sb, sc, sd);
            for (; channel < channels; channel++)
            {
                sums[0] += features[channel] * TSimd.Widen(a[channel]);
                sums[1] += features[channel] * TSimd.Widen(b[channel]);
                sums[2] += features[channel] * TSimd.Widen(c[channel]);
                sums[3] += features[channel] * TSimd.Widen(d[channel]);
            }
            cells += Corners * Length;
            sums += Corners;
        }
    }

    // One sum for each corner, so that a multiply-add does not wait for the one before.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddVector(long* cells, T* shares, int count, T* sums, int channel)
    {
        var zero = TSimd.Constant(0.0);
        TVector a = TSimd.Load(sums), b = zero, c = zero, d = zero;
        for (int i = 0; i < count; i += Corners)
        {
            T* share = shares + i * Length;
            long* cell = cells + i * Length;
            a = TSimd.MultiplyAdd(TSimd.Broadcast(share[0]), Load(cell[0], channel), a);
            b = TSimd.MultiplyAdd(TSimd.Broadcast(share[Length]), Load(cell[Length], channel), b);
            c = TSimd.MultiplyAdd(TSimd.Broadcast(share[2 * Length]), Load(cell[2 * Length], channel), c);
            d = TSimd.MultiplyAdd(TSimd.Broadcast(share[3 * Length]), Load(cell[3 * Length], channel), d);
        }
        TSimd.Store(sums, TSimd.Add(TSimd.Add(a, b), TSimd.Add(c, d)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Load(long cell, int channel) => TSimd.LoadStorage((TStorage*)cell + channel);
}
