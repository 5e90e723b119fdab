using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Simd;

namespace SapaGpu.Kernels.Policies;

/// <summary>
/// How the scores of a window become its weights: every score has a power, and the weight is the power divided by the
/// sum of all powers. With p the powers and S their sum, the gradient of a score is p'/S·(dw − Σ w·dw), where p' is the
/// derivative of the power, told from the power itself.
/// </summary>
public interface INormalisation
{
    /// <summary>Gets whether the largest score is subtracted first, which leaves the weights as they are.</summary>
    static abstract bool Shifts { get; }

    /// <summary>Gets whether the powers are divided by their sum.</summary>
    static abstract bool Divides { get; }

    /// <summary>The power of a score.</summary>
    static abstract TAccumulator Power<TElement, TStorage, TAccumulator>(TAccumulator score)
        where TElement : struct, IElement<TStorage, TAccumulator>
        where TStorage : unmanaged
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>;

    /// <summary>The derivative of a power with respect to its score.</summary>
    static abstract TAccumulator Slope<TAccumulator>(TAccumulator power)
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>;

    /// <summary>The power of a score, lane by lane.</summary>
    static abstract TVector PowerOf<TSimd, TStorage, T, TVector>(TVector score)
        where TSimd : struct, ISimd<TStorage, T, TVector>
        where TStorage : unmanaged
        where T : unmanaged
        where TVector : struct;

    /// <summary>The derivative of a power, lane by lane.</summary>
    static abstract TVector SlopeOf<TSimd, TStorage, T, TVector>(TVector power)
        where TSimd : struct, ISimd<TStorage, T, TVector>
        where TStorage : unmanaged
        where T : unmanaged
        where TVector : struct;
}

/// <summary>Softmax.</summary>
public readonly struct SoftmaxNormalisation : INormalisation
{
    /// <inheritdoc/>
    public static bool Shifts => true;

    /// <inheritdoc/>
    public static bool Divides => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TAccumulator Power<TElement, TStorage, TAccumulator>(TAccumulator score)
        where TElement : struct, IElement<TStorage, TAccumulator>
        where TStorage : unmanaged
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator> => TElement.Exp(score);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TAccumulator Slope<TAccumulator>(TAccumulator power)
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator> => power;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector PowerOf<TSimd, TStorage, T, TVector>(TVector score)
        where TSimd : struct, ISimd<TStorage, T, TVector>
        where TStorage : unmanaged
        where T : unmanaged
        where TVector : struct => SimdMath<TSimd, TStorage, T, TVector>.Exp(score);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector SlopeOf<TSimd, TStorage, T, TVector>(TVector power)
        where TSimd : struct, ISimd<TStorage, T, TVector>
        where TStorage : unmanaged
        where T : unmanaged
        where TVector : struct => power;
}

/// <summary>The logistic function of the scores, divided by the sum.</summary>
public readonly struct SigmoidNormalisation : INormalisation
{
    /// <inheritdoc/>
    public static bool Shifts => false;

    /// <inheritdoc/>
    public static bool Divides => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TAccumulator Power<TElement, TStorage, TAccumulator>(TAccumulator score)
        where TElement : struct, IElement<TStorage, TAccumulator>
        where TStorage : unmanaged
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator> =>
        Sigmoid.Of<TElement, TStorage, TAccumulator>(score);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TAccumulator Slope<TAccumulator>(TAccumulator power)
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator> => power * (TAccumulator.One - power);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector PowerOf<TSimd, TStorage, T, TVector>(TVector score)
        where TSimd : struct, ISimd<TStorage, T, TVector>
        where TStorage : unmanaged
        where T : unmanaged
        where TVector : struct
    {
        // exp of a positive number could overflow: both signs are computed from exp(−|score|).
        var zero = TSimd.Constant(0.0);
        var one = TSimd.Constant(1.0);
        var negative = TSimd.Subtract(zero, TSimd.Max(score, TSimd.Subtract(zero, score)));
        var power = SimdMath<TSimd, TStorage, T, TVector>.Exp(negative);
        var small = TSimd.Divide(power, TSimd.Add(one, power));
        return TSimd.Add(
            TSimd.ZeroWhereBelow(score, zero, TSimd.Subtract(TSimd.Subtract(one, small), small)), small);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector SlopeOf<TSimd, TStorage, T, TVector>(TVector power)
        where TSimd : struct, ISimd<TStorage, T, TVector>
        where TStorage : unmanaged
        where T : unmanaged
        where TVector : struct => TSimd.Multiply(power, TSimd.Subtract(TSimd.Constant(1.0), power));
}

/// <summary>No normalisation: the scores are the weights, and 0 where a tap is left out.</summary>
public readonly struct NoNormalisation : INormalisation
{
    /// <inheritdoc/>
    public static bool Shifts => false;

    /// <inheritdoc/>
    public static bool Divides => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TAccumulator Power<TElement, TStorage, TAccumulator>(TAccumulator score)
        where TElement : struct, IElement<TStorage, TAccumulator>
        where TStorage : unmanaged
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator> =>
        score == TAccumulator.NegativeInfinity ? TAccumulator.Zero : score;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TAccumulator Slope<TAccumulator>(TAccumulator power)
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator> => TAccumulator.One;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector PowerOf<TSimd, TStorage, T, TVector>(TVector score)
        where TSimd : struct, ISimd<TStorage, T, TVector>
        where TStorage : unmanaged
        where T : unmanaged
        where TVector : struct => TSimd.ZeroWhereBelow(
            score, TSimd.Constant(typeof(T) == typeof(double) ? double.MinValue : float.MinValue), score);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector SlopeOf<TSimd, TStorage, T, TVector>(TVector power)
        where TSimd : struct, ISimd<TStorage, T, TVector>
        where TStorage : unmanaged
        where T : unmanaged
        where TVector : struct => TSimd.Constant(1.0);
}
