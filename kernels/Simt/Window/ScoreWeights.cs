using System.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The scores of one query, one a tap, wherever they lie.</summary>
internal interface IScoreRow<TReal>
    where TReal : unmanaged
{
    /// <summary>
    /// Gets whether unnormalised weights are kept in place of the scores; where not, they are computed again.
    /// </summary>
    static abstract bool KeepsWeights { get; }

    /// <summary>Whether a tap is left out of the normalisation.</summary>
    bool LeavesOut(int tap);

    /// <summary>The score of a tap, or the unnormalised weight that was kept in its place.</summary>
    TReal Read(int tap);

    /// <summary>Stores the weight of a tap.</summary>
    void Write(int tap, TReal weight);
}

/// <summary>Scores with the gradients of their weights, for the backward.</summary>
internal interface IScoreGradientRow<TReal> : IScoreRow<TReal>
    where TReal : unmanaged
{
    /// <summary>The gradient of a weight.</summary>
    TReal ReadGradient(int tap);

    /// <summary>Stores the gradient of a score.</summary>
    void WriteGradient(int tap, TReal gradient);
}

/// <summary>
/// Scores to weights and back, for one query by one thread: the one loop of all thread-group programs.
/// </summary>
internal static class ScoreWeights<TElement, TStorage, TReal, TNormalisation>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TNormalisation : struct, IScoreNormalisation
{
    /// <summary>What is subtracted from the scores, where that depends on the largest.</summary>
    public static TReal Shift<TRow>(in TRow row, int taps)
        where TRow : struct, IScoreRow<TReal>
    {
        var shift = TReal.Zero;
        if (TNormalisation.Shifts)
        {
            shift = TReal.NegativeInfinity;
            for (int tap = 0; tap < taps; tap++)
            {
                var score = row.Read(tap);
                if (!(score <= shift) && !row.LeavesOut(tap))
                    shift = score;
            }
            shift = TNormalisation.ShiftOf<TElement, TStorage, TReal>(shift);
        }
        return shift;
    }

    /// <summary>
    /// What is saved of a query: the logarithm of the sum of the unshifted unnormalised weights for softmax, else the sum.
    /// </summary>
    public static TReal Normaliser(TReal shift, TReal sum)
    {
        if (TNormalisation.SubtractsMaximum)
            return shift + TElement.Log(sum);
        return TNormalisation.Shifts ? sum * TElement.Exp(shift) : sum;
    }

    /// <summary>Turns scores into weights.</summary>
    /// <returns>The sum of the unnormalised weights.</returns>
    public static TReal Forward<TRow>(in TRow row, int taps, TReal shift)
        where TRow : struct, IScoreRow<TReal>
    {
        var sum = TReal.Zero;
        if (TNormalisation.Divides || TRow.KeepsWeights)
        {
            for (int tap = 0; tap < taps; tap++)
            {
                var unnormalised = Unnormalised(in row, tap, shift);
                if (TRow.KeepsWeights)
                    row.Write(tap, unnormalised);
                sum += unnormalised;
            }
        }
        if (TNormalisation.Divides)
        {
            var factor = TReal.One / sum;

            // Used before the loop, or ILGPU's optimiser would move the division into it.
            row.Write(0, factor * Kept(in row, 0, shift));
            for (int tap = 1; tap < taps; tap++)
                row.Write(tap, factor * Kept(in row, tap, shift));
        }
        else if (!TRow.KeepsWeights)
        {
            for (int tap = 0; tap < taps; tap++)
                row.Write(tap, Unnormalised(in row, tap, shift));
        }
        return sum;
    }

    /// <summary>
    /// Turns the gradients dw of the weights into those of the scores, p'/S·(dw − Σ w·dw), and scores into weights
    /// where these are kept. The sum S is computed again: next to scores of 10⁴ the rounding of a saved logarithm alone
    /// is off by 10⁻³.
    /// </summary>
    public static void Backward<TRow>(in TRow row, int taps, TReal shift)
        where TRow : struct, IScoreGradientRow<TReal>
    {
        var sum = TReal.Zero;
        var mean = TReal.Zero;
        if (TNormalisation.Divides || TRow.KeepsWeights)
        {
            for (int tap = 0; tap < taps; tap++)
            {
                var unnormalised = Unnormalised(in row, tap, shift);
                if (TRow.KeepsWeights)
                    row.Write(tap, unnormalised);
                sum += unnormalised;
                mean += unnormalised * row.ReadGradient(tap);
            }
        }
        var factor = TReal.One;
        if (TNormalisation.Divides)
        {
            factor /= sum;
            mean *= factor;
        }
        else
        {
            mean = TReal.Zero;
        }
        WriteGradient(in row, 0, shift, factor, mean);
        for (int tap = 1; tap < taps; tap++)
            WriteGradient(in row, tap, shift, factor, mean);
    }

    private static void WriteGradient<TRow>(in TRow row, int tap, TReal shift, TReal factor, TReal mean)
        where TRow : struct, IScoreGradientRow<TReal>
    {
        var gradient = TReal.Zero;
        if (!row.LeavesOut(tap))
        {
            var unnormalised = Kept(in row, tap, shift);
            gradient = TNormalisation.Slope(unnormalised) * factor * (row.ReadGradient(tap) - mean);
            if (TRow.KeepsWeights)
                row.Write(tap, unnormalised * factor);
        }
        row.WriteGradient(tap, gradient);
    }

    private static TReal Kept<TRow>(in TRow row, int tap, TReal shift)
        where TRow : struct, IScoreRow<TReal> =>
        TRow.KeepsWeights ? row.Read(tap) : Unnormalised(in row, tap, shift);

    private static TReal Unnormalised<TRow>(in TRow row, int tap, TReal shift)
        where TRow : struct, IScoreRow<TReal> =>
        row.LeavesOut(tap)
            ? TReal.Zero
            : TNormalisation.Unnormalised<TElement, TStorage, TReal>(row.Read(tap) - shift);
}
