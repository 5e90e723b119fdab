using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The weights of every head from their scores, or the gradient of the scores from that of the weights, as a step of
/// its own on the CPU. A tile is some rows of one head; the lanes are neighbouring queries, which are staged block by
/// block, in channels-last maps by a transposition.
/// </summary>
internal readonly unsafe struct WindowWeightsProgram<TSimd, TStorage, TReal, TVector, TBorder, TNormalisation, TDirection>
    : ITileProgram<WindowWeightsParameters<TStorage, TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TBorder : struct, IBorder
    where TNormalisation : struct, IScoreNormalisation
    where TDirection : struct, INormDirection
{
    private const int ValuesPerTile = 1 << 14;

    public static long TileCount(in WindowWeightsParameters<TStorage, TStorage> parameters) =>
        Tiling(in parameters).Count((long)parameters.Extent.Batch * parameters.Heads);

    public static double Operations(in WindowWeightsParameters<TStorage, TStorage> parameters) =>
        30.0 * parameters.Extent.Batch * parameters.Heads * parameters.Taps
            * parameters.Extent.Rows.Queries * parameters.Extent.Columns.Queries;

    public static long ScratchBytes(in WindowWeightsParameters<TStorage, TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        scratch.Take<TReal>(Size(in parameters));
        scratch.Take<TReal>(Size(in parameters));
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in WindowWeightsParameters<TStorage, TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        TReal* scores = allocator.Take<TReal>(Size(in parameters));
        TReal* gradients = allocator.Take<TReal>(Size(in parameters));
        int width = ScoreBlock<TSimd, TStorage, TReal, TVector>.Width;
        int columns = parameters.Extent.Columns.Queries;
        int taps = parameters.Taps;
        var rows = Tiling(in parameters)[tile];
        (int image, int head) = Math.DivRem(rows.Image, parameters.Heads);
        int channel = head * taps;
        int gradientChannel = parameters.Averaged != 0 ? 0 : channel;
        var source = new MapPointer<TStorage>(in parameters.Source);
        var gradient = new MapPointer<TStorage>(in parameters.Gradient);
        var result = new MapPointer<TStorage>(in parameters.Result);
        TReal headFactor = parameters.Averaged != 0 ? TReal.One / TReal.CreateTruncating(parameters.Heads) : TReal.One;
        for (int row = rows.First; row < rows.End; row++)
        {
            for (int column = 0; column < columns; column += width)
            {
                int queries = Math.Min(width, columns - column);
                QueryBlock<TSimd, TStorage, TReal, TVector>.Load(
                    in source, source.At(image, channel, row, column), scores, width, taps, queries);
                if (TBorder.LeavesOut)
                {
                    ScoreBlock<TSimd, TStorage, TReal, TVector>.Mask(
                        in parameters,
                        row,
                        column,
                        scores,
                        queries,
                        TNormalisation.Divides ? TReal.NegativeInfinity : TReal.Zero);
                }
                if (!TDirection.IsBackward)
                {
                    for (int query = 0; query < queries; query += TSimd.Lanes)
                        Forward(scores + query, width, taps);
                }
                else
                {
                    QueryBlock<TSimd, TStorage, TReal, TVector>.Load(
                        in gradient, gradient.At(image, gradientChannel, row, column), gradients, width, taps, queries);
                    for (int query = 0; query < queries; query += TSimd.Lanes)
                        Backward(scores + query, gradients + query, width, taps, headFactor);
                }

                // Once more: a score that is not finite makes the factor of all weights NaN.
                if (TBorder.LeavesOut)
                {
                    ScoreBlock<TSimd, TStorage, TReal, TVector>.Mask(
                        in parameters, row, column, scores, queries, TReal.Zero);
                }
                QueryBlock<TSimd, TStorage, TReal, TVector>.Store(
                    scores, width, in result, result.At(image, channel, row, column), taps, queries);
            }
        }
    }

    private static RowTiling Tiling(in WindowWeightsParameters<TStorage, TStorage> parameters) => new(
        parameters.Extent.Rows.Queries, (long)parameters.Extent.Columns.Queries * parameters.Taps, ValuesPerTile);

    private static long Size(in WindowWeightsParameters<TStorage, TStorage> parameters) =>
        (long)parameters.Taps * ScoreBlock<TSimd, TStorage, TReal, TVector>.Width;

    // Weights in place of scores, for one vector of queries.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Forward(TReal* scores, int width, int taps)
    {
        var shift = ScoreWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.Shift(scores, width, taps);
        ScoreWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.Forward(scores, width, taps, shift);
    }

    // Gradients of the scores in place of the scores: p'/S·(dw − Σ w·dw).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Backward(TReal* scores, TReal* gradients, int width, int taps, TReal headFactor)
    {
        TReal* end = scores + (nint)taps * width;
        nint toGradient = (nint)(gradients - scores);
        var shift = ScoreWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.Shift(scores, width, taps);
        var sum = ScoreWeights<TSimd, TStorage, TReal, TVector, TNormalisation>.Repeat(
            scores, gradients, width, taps, shift, out var mean);
        var factor = TSimd.Broadcast(headFactor);
        if (TNormalisation.Divides)
        {
            var reciprocal = TSimd.Divide(TSimd.Constant(1.0), sum);
            mean = TSimd.Multiply(mean, reciprocal);
            factor = TSimd.Multiply(factor, reciprocal);
        }
        else
        {
            mean = TSimd.Constant(0.0);
        }
        for (TReal* score = scores; score < end; score += width)
        {
            var slope = TNormalisation.SlopeOf<TSimd, TStorage, TReal, TVector>(TSimd.Load(score));
            var centred = TSimd.Subtract(TSimd.Load(score + toGradient), mean);
            TSimd.Store(score, TSimd.Multiply(TSimd.Multiply(slope, factor), centred));
        }
    }
}
