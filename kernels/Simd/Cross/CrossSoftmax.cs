using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>Scores of a tile to weights by softmax: bias and ranges, the running maximum and sum, exponentials.</summary>
internal static unsafe class CrossSoftmax<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    // Below every term of a cell that is seen, above −∞.
    private const double Unseen = -1e30;

    /// <summary>Gets the shift of a query that has seen nothing yet.</summary>
    public static double Least => typeof(TReal) == typeof(double) ? double.MinValue : float.MinValue;

    /// <summary>
    /// What the ranges of a tile add to scores: −∞ where a query does not see a cell, the logarithm of how often it is
    /// counted where that is more than once. Or what they multiply weights by: how often a cell is counted.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PrepareTerms(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        bool areCounts)
    {
        int stride = scratch.PairStride;
        bool repeats = parameters.Extent.OutsideIsZero == 0;
        new Span<TReal>(scratch.Outside, stride).Clear();
        if (!tile.HasTerms)
            return;
        for (int row = 0; row < tile.Rows; row++)
        {
            var range = AxisRange.Read(parameters.Rows, tile.Row + row);
            for (int cell = 0; cell < tile.CellRows; cell++)
            {
                new Span<TReal>(scratch.RowTerms + (nint)cell * stride + row * tile.Columns, tile.Columns)
                    .Fill(Term(in range, tile.FirstCellRow + cell, repeats, areCounts));
            }
        }
        for (int column = 0; column < tile.Columns; column++)
        {
            var range = AxisRange.Read(parameters.Columns, tile.Column + column);
            for (int cell = 0; cell < tile.CellColumns; cell++)
            {
                var term = Term(in range, tile.FirstCellColumn + cell, repeats, areCounts);
                for (int row = 0; row < tile.Rows; row++)
                    scratch.ColumnTerms[(nint)cell * stride + row * tile.Columns + column] = term;
            }
        }
        for (int query = tile.Queries; query < stride; query++)
        {
            for (int cell = 0; cell < tile.CellRows; cell++)
                scratch.RowTerms[(nint)cell * stride + query] = TReal.Zero;
            for (int cell = 0; cell < tile.CellColumns; cell++)
                scratch.ColumnTerms[(nint)cell * stride + query] = TReal.Zero;
        }
        if (repeats)
            return;
        for (int row = 0; row < tile.Rows; row++)
        {
            var rows = AxisRange.Read(parameters.Rows, tile.Row + row);
            for (int column = 0; column < tile.Columns; column++)
            {
                var columns = AxisRange.Read(parameters.Columns, tile.Column + column);
                scratch.Outside[row * tile.Columns + column] =
                    TReal.CreateTruncating(rows.Taps * columns.Taps - rows.Count * columns.Count);
            }
        }
    }

    /// <summary>Adds bias and terms to the scores of a block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Complete(
        in CrossTile tile,
        in CrossBlock block,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        bool hasBias)
    {
        if (!hasBias && !tile.HasTerms)
            return;
        int stride = scratch.PairStride;
        var limit = TSimd.Constant(Unseen);
        int row = block.First / tile.CellColumns;
        int column = block.First - row * tile.CellColumns;
        for (int cell = 0; cell < block.Count; cell++)
        {
            TReal* scores = scratch.Weights + (nint)cell * stride;
            TReal bias = hasBias ? scratch.Bias[cell] : TReal.Zero;
            var added = TSimd.Broadcast(bias);
            if (TReal.IsNegativeInfinity(bias))
            {
                new Span<TReal>(scores, stride).Fill(bias);
            }
            else if (!tile.HasTerms)
            {
                for (int query = 0; query < stride; query += TSimd.Lanes)
                    TSimd.Store(scores + query, TSimd.Add(TSimd.Load(scores + query), added));
            }
            else
            {
                TReal* rowTerms = scratch.RowTerms + (nint)row * stride;
                TReal* columnTerms = scratch.ColumnTerms + (nint)column * stride;
                for (int query = 0; query < stride; query += TSimd.Lanes)
                {
                    var term = TSimd.Add(TSimd.Load(rowTerms + query), TSimd.Load(columnTerms + query));
                    var score = TSimd.Add(TSimd.Load(scores + query), added);
                    TSimd.Store(scores + query, TSimd.Add(TSimd.ZeroWhereBelow(term, limit, score), term));
                }
            }
            if (++column == tile.CellColumns)
            {
                column = 0;
                row++;
            }
        }
    }

    /// <summary>Begins the statistics of a head with what lies outside.</summary>
    public static void BeginStatistics(in CrossScratch<TSimd, TStorage, TReal, TVector> scratch, int head)
    {
        nint at = (nint)head * scratch.PairStride;
        var least = TReal.CreateTruncating(Least);
        for (int query = 0; query < scratch.PairStride; query++)
        {
            scratch.Shift[at + query] = scratch.Outside[query] > TReal.Zero ? TReal.Zero : least;
            scratch.Sum[at + query] = scratch.Outside[query];
        }
    }

    /// <summary>Takes the scores of a block into the statistics of a head, and makes them exponentials if asked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Accumulate(
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch, int head, int cells, bool keeps)
    {
        nint stride = scratch.PairStride;
        TReal* shifts = scratch.Shift + head * stride;
        TReal* sums = scratch.Sum + head * stride;
        for (int query = 0; query < stride; query += TSimd.Lanes)
        {
            TReal* first = scratch.Weights + query;
            TReal* end = first + cells * stride;
            var known = TSimd.Load(shifts + query);
            var shift = known;
            for (TReal* score = first; score < end; score += stride)
                shift = TSimd.Max(shift, TSimd.Load(score));
            var sum = TSimd.Multiply(
                TSimd.Load(sums + query),
                SimdMath<TSimd, TStorage, TReal, TVector>.Exp(TSimd.Subtract(known, shift)));
            for (TReal* score = first; score < end; score += stride)
            {
                var weight = SimdMath<TSimd, TStorage, TReal, TVector>.Exp(TSimd.Subtract(TSimd.Load(score), shift));
                sum = TSimd.Add(sum, weight);
                if (keeps)
                    TSimd.Store(score, weight);
            }
            TSimd.Store(shifts + query, shift);
            TSimd.Store(sums + query, sum);
        }
    }

    /// <summary>Takes the reciprocals of the sums of a head; a query that sees nothing has 0.</summary>
    public static void EndStatistics(in CrossScratch<TSimd, TStorage, TReal, TVector> scratch, int head)
    {
        nint at = (nint)head * scratch.PairStride;
        for (int query = 0; query < scratch.PairStride; query++)
        {
            var sum = scratch.Sum[at + query];
            scratch.Reciprocal[at + query] = sum == TReal.Zero ? TReal.Zero : TReal.One / sum;
        }
    }

    /// <summary>Turns scores, or exponentials, of a block into the weights of a head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Weigh(
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch, int head, int cells, bool areExponentials)
    {
        nint stride = scratch.PairStride;
        for (int query = 0; query < stride; query += TSimd.Lanes)
        {
            TReal* first = scratch.Weights + query;
            TReal* end = first + cells * stride;
            var shift = TSimd.Load(scratch.Shift + head * stride + query);
            var factor = TSimd.Load(scratch.Reciprocal + head * stride + query);
            for (TReal* score = first; score < end; score += stride)
            {
                var value = TSimd.Load(score);
                if (!areExponentials)
                    value = SimdMath<TSimd, TStorage, TReal, TVector>.Exp(TSimd.Subtract(value, shift));
                TSimd.Store(score, TSimd.Multiply(value, factor));
            }
        }
    }

    /// <summary>mean = or += pairs·factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Average(TReal* pairs, TReal* mean, nint count, TReal factor, bool adds)
    {
        var vector = TSimd.Broadcast(factor);
        for (nint at = 0; at < count; at += TSimd.Lanes)
        {
            var scaled = TSimd.Multiply(TSimd.Load(pairs + at), vector);
            TSimd.Store(mean + at, adds ? TSimd.Add(TSimd.Load(mean + at), scaled) : scaled);
        }
    }

    /// <summary>Writes the statistics of a head of the queries of a tile.</summary>
    public static void StoreStatistics(
        in MapPointer<TReal> map,
        in CrossTile tile,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        int head,
        int channel)
    {
        nint at = (nint)head * scratch.PairStride;
        for (int row = 0; row < tile.Rows; row++)
        {
            TReal* shifts = map.At(tile.Image, channel, tile.Row + row, tile.Column);
            StridedCopy.Scatter(scratch.Shift + at, shifts, map.ColumnStride, tile.Columns);
            StridedCopy.Scatter(scratch.Sum + at, shifts + map.ChannelStride, map.ColumnStride, tile.Columns);
            at += tile.Columns;
        }
    }

    /// <summary>Reads the statistics of a head of the queries of a tile.</summary>
    public static void LoadStatistics(
        in MapPointer<TReal> map,
        in CrossTile tile,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        int head,
        int channel)
    {
        nint at = (nint)head * scratch.PairStride;
        new Span<TReal>(scratch.Shift + at, scratch.PairStride).Clear();
        new Span<TReal>(scratch.Sum + at, scratch.PairStride).Clear();
        for (int row = 0; row < tile.Rows; row++)
        {
            TReal* shifts = map.At(tile.Image, channel, tile.Row + row, tile.Column);
            StridedCopy.Gather(shifts, map.ColumnStride, scratch.Shift + at, tile.Columns);
            StridedCopy.Gather(shifts + map.ChannelStride, map.ColumnStride, scratch.Sum + at, tile.Columns);
            at += tile.Columns;
        }
        EndStatistics(in scratch, head);
    }

    private static TReal Term(in AxisRange range, int cell, bool repeats, bool isCount)
    {
        if (cell < range.First || cell >= range.End)
            return isCount ? TReal.Zero : TReal.NegativeInfinity;
        int count = repeats ? range.Repeats(cell) : 1;
        if (isCount)
            return TReal.CreateTruncating(count);
        return count == 1 ? TReal.Zero : TReal.Log(TReal.CreateTruncating(count));
    }
}
