using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Scores of a tile to weights by any normalisation. Softmax takes what the ranges add as terms of its scores,
/// <see cref="CrossSoftmax{TSimd, TStorage, TReal, TVector}"/>; all others multiply by how often a cell counts, 0 where it is not seen.
/// </summary>
internal static unsafe class CrossWeights<TSimd, TStorage, TReal, TVector, TNormalisation>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TNormalisation : struct, IScoreNormalisation
{
    // Between the counts of a cell that is not seen and of one that is.
    private const double Seen = 0.5;

    /// <summary>Gets whether the weights of a single block can be kept without their sum, and divided by it afterwards.</summary>
    public static bool KeepsUnnormalised => TNormalisation.Divides;

    /// <summary>What the ranges of a tile do to scores or weights.</summary>
    public static void PrepareTerms(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch) =>
        CrossSoftmax<TSimd, TStorage, TReal, TVector>.PrepareTerms(
            in parameters, in tile, in scratch, areCounts: !TNormalisation.SubtractsMaximum);

    /// <summary>Adds the bias, and terms if there are some, to the scores of a block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Complete(
        in CrossTile tile,
        in CrossBlock block,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        bool hasBias)
    {
        if (TNormalisation.SubtractsMaximum)
        {
            CrossSoftmax<TSimd, TStorage, TReal, TVector>.Complete(in tile, in block, in scratch, hasBias);
            return;
        }
        if (!hasBias)
            return;
        TReal* scores = scratch.Weights;
        for (int cell = 0; cell < block.Count; cell++)
        {
            var added = TSimd.Broadcast(scratch.Bias[cell]);
            for (int query = 0; query < scratch.PairStride; query += TSimd.Lanes)
                TSimd.Store(scores + query, TSimd.Add(TSimd.Load(scores + query), added));
            scores += scratch.PairStride;
        }
    }

    /// <summary>Begins the statistics of a head with what lies outside.</summary>
    public static void BeginStatistics(in CrossScratch<TSimd, TStorage, TReal, TVector> scratch, int head)
    {
        CrossSoftmax<TSimd, TStorage, TReal, TVector>.BeginStatistics(in scratch, head);
        if (TNormalisation.SubtractsMaximum)
            return;
        nint at = (nint)head * scratch.PairStride;
        if (!TNormalisation.Divides)
        {
            new Span<TReal>(scratch.Shift + at, scratch.PairStride).Clear();
            new Span<TReal>(scratch.Sum + at, scratch.PairStride).Fill(TReal.One);
            return;
        }
        var ofZero = TNormalisation.Unnormalised<TSimd, TStorage, TReal, TVector>(TSimd.Constant(0.0));
        TReal* sums = scratch.Sum + at;
        for (int query = 0; query < scratch.PairStride; query += TSimd.Lanes)
            TSimd.Store(sums + query, TSimd.Multiply(TSimd.Load(sums + query), ofZero));
    }

    /// <summary>
    /// Takes the scores of a block into the statistics of a head, and makes them unnormalised weights if asked. A sum is carried to a
    /// larger shift as a sum of exponentials, which the weights are wherever a shift differs from 0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Accumulate(
        in CrossTile tile,
        in CrossBlock block,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        int head,
        bool hasBias,
        bool keeps)
    {
        if (TNormalisation.SubtractsMaximum)
        {
            CrossSoftmax<TSimd, TStorage, TReal, TVector>.Accumulate(in scratch, head, block.Count, keeps);
            return;
        }
        if (!TNormalisation.Divides)
            return;
        nint stride = scratch.PairStride;
        TReal* shifts = scratch.Shift + head * stride;
        TReal* sums = scratch.Sum + head * stride;
        var limit = TSimd.Constant(Seen);
        var nothing = TSimd.Constant(0.0);
        for (int query = 0; query < stride; query += TSimd.Lanes)
        {
            var known = TSimd.Load(shifts + query);
            var largest = TSimd.Broadcast(TReal.CreateTruncating(CrossSoftmax<TSimd, TStorage, TReal, TVector>.Least));
            var least = largest;
            var place = new Place(in tile, in block);
            for (int cell = 0; cell < block.Count; cell++, place.Advance(in tile))
            {
                if (IsMasked(in scratch, cell, hasBias))
                    continue;
                var score = TSimd.Load(scratch.Weights + cell * stride + query);
                if (tile.HasTerms)
                {
                    var count = place.Count(in scratch, query);
                    score = TSimd.Add(
                        TSimd.ZeroWhereBelow(count, limit, score),
                        TSimd.ZeroWhereBelow(
                            TSimd.Subtract(nothing, count), TSimd.Subtract(nothing, limit), least));
                }
                largest = TSimd.Max(largest, score);
            }
            var shift = TSimd.Max(known, TNormalisation.ShiftsOf<TSimd, TStorage, TReal, TVector>(largest));
            var sum = TSimd.Multiply(
                TSimd.Load(sums + query),
                SimdMath<TSimd, TStorage, TReal, TVector>.Exp(TSimd.Subtract(known, shift)));
            place = new Place(in tile, in block);
            for (int cell = 0; cell < block.Count; cell++, place.Advance(in tile))
            {
                TReal* score = scratch.Weights + cell * stride + query;
                var weight = nothing;
                if (!IsMasked(in scratch, cell, hasBias))
                {
                    weight = TNormalisation.Unnormalised<TSimd, TStorage, TReal, TVector>(
                        TSimd.Subtract(TSimd.Load(score), shift));
                    if (tile.HasTerms)
                    {
                        var count = place.Count(in scratch, query);
                        weight = TSimd.ZeroWhereBelow(count, limit, TSimd.Multiply(weight, count));
                    }
                }
                sum = TSimd.Add(sum, weight);
                if (keeps)
                    TSimd.Store(score, weight);
            }
            TSimd.Store(shifts + query, shift);
            TSimd.Store(sums + query, sum);
        }
    }

    /// <summary>Turns scores, or unnormalised weights, of a block into the weights of a head.</summary>
    public static void Weigh(
        in CrossTile tile,
        in CrossBlock block,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        int head,
        bool hasBias,
        bool areUnnormalised)
    {
        if (TNormalisation.SubtractsMaximum || areUnnormalised)
            CrossSoftmax<TSimd, TStorage, TReal, TVector>.Weigh(in scratch, head, block.Count, areUnnormalised);
        else
            WeighScores(in tile, in block, in scratch, head, hasBias);
    }

    // P, and with gradients Q and R.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WeighScores(
        in CrossTile tile,
        in CrossBlock block,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        int head,
        bool hasBias)
    {
        nint stride = scratch.PairStride;
        var limit = TSimd.Constant(Seen);
        bool hasSlopes = scratch.Slopes != scratch.Weights;
        bool hasCurvatures = scratch.Curvatures != null;
        for (int query = 0; query < stride; query += TSimd.Lanes)
        {
            var shift = TSimd.Load(scratch.Shift + head * stride + query);
            var reciprocal = TSimd.Load(scratch.Reciprocal + head * stride + query);
            var place = new Place(in tile, in block);
            for (int cell = 0; cell < block.Count; cell++, place.Advance(in tile))
            {
                nint at = cell * stride + query;
                var count = IsMasked(in scratch, cell, hasBias)
                    ? TSimd.Constant(0.0)
                    : tile.HasTerms ? place.Count(in scratch, query) : TSimd.Constant(1.0);
                var factor = TSimd.Multiply(reciprocal, count);
                var unnormalised = TNormalisation.Unnormalised<TSimd, TStorage, TReal, TVector>(
                    TSimd.Subtract(TSimd.Load(scratch.Weights + at), shift));
                TSimd.Store(
                    scratch.Weights + at, TSimd.ZeroWhereBelow(count, limit, TSimd.Multiply(unnormalised, factor)));
                if (hasSlopes)
                {
                    var slope = TNormalisation.SlopeOf<TSimd, TStorage, TReal, TVector>(unnormalised);
                    TSimd.Store(
                        scratch.Slopes + at, TSimd.ZeroWhereBelow(count, limit, TSimd.Multiply(slope, factor)));
                }
                if (hasCurvatures)
                {
                    var curvature = TNormalisation.CurvatureOf<TSimd, TStorage, TReal, TVector>(unnormalised);
                    TSimd.Store(
                        scratch.Curvatures + at, TSimd.ZeroWhereBelow(count, limit, TSimd.Multiply(curvature, factor)));
                }
            }
        }
    }

    private static bool IsMasked(in CrossScratch<TSimd, TStorage, TReal, TVector> scratch, int cell, bool hasBias) =>
        hasBias && TReal.IsNegativeInfinity(scratch.Bias[cell]);

    // The row and the column, in a tile, of a cell of a block.
    private struct Place
    {
        private int row;
        private int column;

        public Place(in CrossTile tile, in CrossBlock block)
        {
            row = block.First / tile.CellColumns;
            column = block.First - row * tile.CellColumns;
        }

        public readonly TVector Count(in CrossScratch<TSimd, TStorage, TReal, TVector> scratch, int query) =>
            TSimd.Multiply(
                TSimd.Load(scratch.RowTerms + (nint)row * scratch.PairStride + query),
                TSimd.Load(scratch.ColumnTerms + (nint)column * scratch.PairStride + query));

        public void Advance(in CrossTile tile)
        {
            if (++column < tile.CellColumns)
                return;
            column = 0;
            row++;
        }
    }
}
