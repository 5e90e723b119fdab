using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Into what a problem falls for a kind of factors: sums of values have a part for each set of weights, the mean over its
/// heads; sums of keys and queries have one for each head.
/// </summary>
internal static class CrossParts
{
    /// <summary>The parts.</summary>
    public static int Count<TCoefficient>(in CrossExtent extent)
        where TCoefficient : struct, ICrossCoefficient => TCoefficient.IsOfValue ? extent.WeightSets : extent.Heads;

    /// <summary>The channels of a part.</summary>
    public static int Channels<TCoefficient>(in CrossExtent extent)
        where TCoefficient : struct, ICrossCoefficient =>
        TCoefficient.IsOfValue ? extent.ValueChannels : extent.KeyChannels;

    /// <summary>The factors of a pair for a part; −0 where it is not seen, and only there.</summary>
    public static CrossFactors<TReal> Factors<TElement, TStorage, TReal, TAccess, TNormalisation, TCoefficient>(
        in CrossAttentionParameters<TStorage, TReal> parameters, in CrossPair pair, int part)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
        where TNormalisation : struct, IScoreNormalisation
        where TCoefficient : struct, ICrossCoefficient
    {
        var sums = new CrossFactors<TReal> { First = TReal.NegativeZero, Second = TReal.NegativeZero };
        if (pair.Count == 0 || CrossPairs<TElement, TStorage, TReal, TAccess>.IsMasked(in parameters, in pair))
            return sums;
        sums = default;
        int heads = TCoefficient.IsOfValue ? parameters.Extent.HeadsOfSet : 1;
        int firstHead = part * heads;
        int set = parameters.Extent.AveragesHeads != 0 ? 0 : part;
        for (int head = firstHead; head < firstHead + heads; head++)
        {
            var state = CrossPairs<TElement, TStorage, TReal, TAccess>.Read(
                in parameters, in pair, head, TCoefficient.NeedsMeans);
            var factors = TCoefficient.Compute<TElement, TStorage, TReal, TAccess, TNormalisation>(
                in parameters, in pair, in state, set, head);
            sums.First += factors.First;
            sums.Second += factors.Second;
        }
        var share = TElement.FromCount(heads);
        sums.First = WithoutSign(sums.First / share);
        sums.Second = WithoutSign(sums.Second / share);
        return sums;
    }

    private static TReal WithoutSign<TReal>(TReal factor)
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => factor == TReal.Zero ? TReal.Zero : factor;
}
