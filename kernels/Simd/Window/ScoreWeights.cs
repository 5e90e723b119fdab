using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Scores to unnormalised weights and weights, in place, for one vector of queries whose scores lie a stride apart: the
/// one loop of all vector programs.
/// </summary>
internal static unsafe class ScoreWeights<TSimd, TStorage, TReal, TVector, TNormalisation>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged
    where TVector : struct
    where TNormalisation : struct, IScoreNormalisation
{
    /// <summary>What is subtracted from the scores, where that depends on the largest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Shift(TReal* scores, nint stride, int count)
    {
        if (!TNormalisation.Shifts)
            return TSimd.Constant(0.0);
        var shift = TSimd.Load(scores);
        TReal* end = scores + count * stride;
        for (TReal* score = scores + stride; score < end; score += stride)
            shift = TSimd.Max(shift, TSimd.Load(score));
        return TNormalisation.ShiftsOf<TSimd, TStorage, TReal, TVector>(shift);
    }

    /// <summary>Turns scores into weights.</summary>
    /// <returns>The sum of the unnormalised weights.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward(TReal* scores, nint stride, int count, TVector shift)
    {
        TReal* end = scores + count * stride;
        var sum = TSimd.Constant(0.0);
        for (TReal* score = scores; score < end; score += stride)
        {
            var unnormalised = TNormalisation.Unnormalised<TSimd, TStorage, TReal, TVector>(
                TSimd.Subtract(TSimd.Load(score), shift));
            TSimd.Store(score, unnormalised);
            sum = TSimd.Add(sum, unnormalised);
        }
        if (TNormalisation.Divides)
        {
            var factor = TSimd.Divide(TSimd.Constant(1.0), sum);
            for (TReal* score = scores; score < end; score += stride)
                TSimd.Store(score, TSimd.Multiply(TSimd.Load(score), factor));
        }
        return sum;
    }

    /// <summary>Turns scores into unnormalised weights.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="gradients">The gradients of the weights, as far apart as the scores.</param>
    /// <param name="stride">From a score to the next.</param>
    /// <param name="count">The scores of a query.</param>
    /// <param name="shift">What is subtracted.</param>
    /// <param name="mean">Σ unnormalised weight · gradient.</param>
    /// <returns>The sum of the unnormalised weights.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Repeat(
        TReal* scores, TReal* gradients, nint stride, int count, TVector shift, out TVector mean)
    {
        TReal* end = scores + count * stride;
        nint toGradient = (nint)(gradients - scores);
        var sum = TSimd.Constant(0.0);
        var products = TSimd.Constant(0.0);
        for (TReal* score = scores; score < end; score += stride)
        {
            var unnormalised = TNormalisation.Unnormalised<TSimd, TStorage, TReal, TVector>(
                TSimd.Subtract(TSimd.Load(score), shift));
            TSimd.Store(score, unnormalised);
            sum = TSimd.Add(sum, unnormalised);
            products = TSimd.MultiplyAdd(unnormalised, TSimd.Load(score + toGradient), products);
        }
        mean = products;
        return sum;
    }
}
