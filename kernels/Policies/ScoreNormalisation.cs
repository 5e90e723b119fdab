using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Simd;

namespace SapaGpu.Kernels.Policies;

/// <summary>
/// How the scores of a window become its weights: every score has an unnormalised weight, and the weight is that divided
/// by the sum of them all. With p the unnormalised weights and S their sum, the gradient of a score is
/// p'/S·(dw − Σ w·dw), where p' is the derivative of the unnormalised weight, computed from it.
/// </summary>
internal interface IScoreNormalisation
{
    /// <summary>Gets whether the largest score is subtracted first, which leaves the weights as they are.</summary>
    static abstract bool SubtractsMaximum { get; }

    /// <summary>Gets whether what is subtracted depends on the largest score; where not, it is 0.</summary>
    static abstract bool Shifts { get; }

    /// <summary>Gets whether the unnormalised weights are divided by their sum.</summary>
    static abstract bool Divides { get; }

    /// <summary>What is subtracted from the scores, which leaves the weights as they are.</summary>
    static abstract TReal ShiftOf<TElement, TStorage, TReal>(TReal maximum)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;

    /// <summary>The unnormalised weight of a score.</summary>
    static abstract TReal Unnormalised<TElement, TStorage, TReal>(TReal score)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;

    /// <summary>The derivative of an unnormalised weight with respect to its score.</summary>
    static abstract TReal Slope<TReal>(TReal unnormalised)
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;

    /// <summary>The second derivative of an unnormalised weight with respect to its score.</summary>
    static abstract TReal Curvature<TReal>(TReal unnormalised)
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;

    /// <summary>What is subtracted from the scores, lane by lane.</summary>
    static abstract TVector ShiftsOf<TSimd, TStorage, TReal, TVector>(TVector maximum)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct;

    /// <summary>The unnormalised weight of a score, lane by lane.</summary>
    static abstract TVector Unnormalised<TSimd, TStorage, TReal, TVector>(TVector score)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct;

    /// <summary>The derivative of an unnormalised weight, lane by lane.</summary>
    static abstract TVector SlopeOf<TSimd, TStorage, TReal, TVector>(TVector unnormalised)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct;

    /// <summary>The second derivative of an unnormalised weight, lane by lane.</summary>
    static abstract TVector CurvatureOf<TSimd, TStorage, TReal, TVector>(TVector unnormalised)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct;
}

/// <summary>Softmax.</summary>
internal readonly struct SoftmaxNormalisation : IScoreNormalisation
{
    public static bool SubtractsMaximum => true;

    public static bool Shifts => true;

    public static bool Divides => true;

    public static TReal ShiftOf<TElement, TStorage, TReal>(TReal maximum)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => maximum;

    public static TVector ShiftsOf<TSimd, TStorage, TReal, TVector>(TVector maximum)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct => maximum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TReal Unnormalised<TElement, TStorage, TReal>(TReal score)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => TElement.Exp(score);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TReal Slope<TReal>(TReal unnormalised)
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => unnormalised;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TReal Curvature<TReal>(TReal unnormalised)
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => unnormalised;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Unnormalised<TSimd, TStorage, TReal, TVector>(TVector score)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct => SimdMath<TSimd, TStorage, TReal, TVector>.Exp(score);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector SlopeOf<TSimd, TStorage, TReal, TVector>(TVector unnormalised)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct => unnormalised;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector CurvatureOf<TSimd, TStorage, TReal, TVector>(TVector unnormalised)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct => unnormalised;
}

/// <summary>The logistic function of the scores, divided by the sum.</summary>
/// <remarks>
/// Far below 0 the logistic function is the exponential, whose ratios stay the same when all scores move. Scores that all
/// are there are moved up, or their weights could all be 0.
/// </remarks>
internal readonly struct SigmoidNormalisation : IScoreNormalisation
{
    // Below its negative, logistic function and exponential are the same to the last bit, in double precision too.
    private const int Tail = 40;

    public static bool SubtractsMaximum => false;

    public static bool Shifts => true;

    public static bool Divides => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TReal ShiftOf<TElement, TStorage, TReal>(TReal maximum)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var above = maximum + TElement.FromCount(Tail);
        return above < TReal.Zero ? above : TReal.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ShiftsOf<TSimd, TStorage, TReal, TVector>(TVector maximum)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct
    {
        var zero = TSimd.Constant(0.0);
        var below = TSimd.Subtract(TSimd.Constant(-Tail), maximum);
        return TSimd.Subtract(zero, TSimd.ZeroWhereBelow(below, zero, below));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TReal Unnormalised<TElement, TStorage, TReal>(TReal score)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> =>
        Sigmoid.Of<TElement, TStorage, TReal>(score);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TReal Slope<TReal>(TReal unnormalised)
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => unnormalised * (TReal.One - unnormalised);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TReal Curvature<TReal>(TReal unnormalised)
        where TReal : unmanaged, IFloatingPointIeee754<TReal> =>
        unnormalised * (TReal.One - unnormalised) * (TReal.One - unnormalised - unnormalised);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Unnormalised<TSimd, TStorage, TReal, TVector>(TVector score)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct
    {
        // exp of a positive number could overflow: both signs are computed from exp(−|score|).
        var zero = TSimd.Constant(0.0);
        var one = TSimd.Constant(1.0);
        var negative = TSimd.Subtract(zero, TSimd.Max(score, TSimd.Subtract(zero, score)));
        var unnormalised = SimdMath<TSimd, TStorage, TReal, TVector>.Exp(negative);
        var small = TSimd.Divide(unnormalised, TSimd.Add(one, unnormalised));
        return TSimd.Add(
            TSimd.ZeroWhereBelow(score, zero, TSimd.Subtract(TSimd.Subtract(one, small), small)), small);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector SlopeOf<TSimd, TStorage, TReal, TVector>(TVector unnormalised)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct => TSimd.Multiply(unnormalised, TSimd.Subtract(TSimd.Constant(1.0), unnormalised));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector CurvatureOf<TSimd, TStorage, TReal, TVector>(TVector unnormalised)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct
    {
        var rest = TSimd.Subtract(TSimd.Constant(1.0), unnormalised);
        return TSimd.Multiply(TSimd.Multiply(unnormalised, rest), TSimd.Subtract(rest, unnormalised));
    }
}

/// <summary>
/// No normalisation: the scores are the weights. A tap that is left out has the score 0, as one that is outside the map.
/// </summary>
internal readonly struct NoNormalisation : IScoreNormalisation
{
    public static bool SubtractsMaximum => false;

    public static bool Shifts => false;

    public static bool Divides => false;

    public static TReal ShiftOf<TElement, TStorage, TReal>(TReal maximum)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => TReal.Zero;

    public static TVector ShiftsOf<TSimd, TStorage, TReal, TVector>(TVector maximum)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct => TSimd.Constant(0.0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TReal Unnormalised<TElement, TStorage, TReal>(TReal score)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => score;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TReal Slope<TReal>(TReal unnormalised)
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => TReal.One;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TReal Curvature<TReal>(TReal unnormalised)
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => TReal.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Unnormalised<TSimd, TStorage, TReal, TVector>(TVector score)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct => score;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector SlopeOf<TSimd, TStorage, TReal, TVector>(TVector unnormalised)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct => TSimd.Constant(1.0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector CurvatureOf<TSimd, TStorage, TReal, TVector>(TVector unnormalised)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStorage : unmanaged
        where TReal : unmanaged
        where TVector : struct => TSimd.Constant(0.0);
}
