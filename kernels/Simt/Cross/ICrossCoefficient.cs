using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// What the vectors of one side are multiplied by in the sums of the other: a factor for the map itself, and one for its
/// direction where that has a part.
/// </summary>
internal interface ICrossCoefficient
{
    /// <summary>Gets whether values and gradients of the output are summed, rather than keys and queries.</summary>
    static abstract bool IsOfValue { get; }

    /// <summary>Gets whether sums of a query have a second factor.</summary>
    static abstract bool HasSecondOfCells { get; }

    /// <summary>Gets whether sums of a cell have a second factor.</summary>
    static abstract bool HasSecondOfQueries { get; }

    /// <summary>Gets whether the means of a query are needed.</summary>
    static abstract bool NeedsMeans { get; }

    /// <summary>Computes the factors of a pair that is seen.</summary>
    static abstract CrossFactors<TReal> Compute<TElement, TStorage, TReal, TAccess, TNormalisation>(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossPair pair,
        in CrossQueryState<TReal> state,
        int set,
        int head)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
        where TNormalisation : struct, IScoreNormalisation;
}

/// <summary>The factors of a pair.</summary>
internal struct CrossFactors<TReal>
    where TReal : unmanaged
{
    /// <summary>Of the map.</summary>
    public TReal First;

    /// <summary>Of its direction.</summary>
    public TReal Second;
}

/// <summary>The weights: outputs, and gradients of the value.</summary>
internal readonly struct WeightCoefficient : ICrossCoefficient
{
    public static bool IsOfValue => true;

    public static bool HasSecondOfCells => false;

    public static bool HasSecondOfQueries => false;

    public static bool NeedsMeans => false;

    public static CrossFactors<TReal> Compute<TElement, TStorage, TReal, TAccess, TNormalisation>(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossPair pair,
        in CrossQueryState<TReal> state,
        int set,
        int head)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
        where TNormalisation : struct, IScoreNormalisation => new()
        {
            First = CrossPairs<TElement, TStorage, TReal, TAccess>.Weight<TNormalisation>(in parameters, in pair, in state, head),
        };
}

/// <summary>The gradients of the scores, Q·(a − A): gradients of query, key and bias.</summary>
internal readonly struct GradScoreCoefficient : ICrossCoefficient
{
    public static bool IsOfValue => false;

    public static bool HasSecondOfCells => false;

    public static bool HasSecondOfQueries => false;

    public static bool NeedsMeans => true;

    public static CrossFactors<TReal> Compute<TElement, TStorage, TReal, TAccess, TNormalisation>(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossPair pair,
        in CrossQueryState<TReal> state,
        int set,
        int head)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
        where TNormalisation : struct, IScoreNormalisation
    {
        var slope = CrossPairs<TElement, TStorage, TReal, TAccess>.Slope<TNormalisation>(in parameters, in pair, in state, head);
        var grad = CrossPairs<TElement, TStorage, TReal, TAccess>.Grad(in parameters, in parameters.Value, in pair, set);
        return new CrossFactors<TReal> { First = slope * (grad - state.Grad) };
    }
}

/// <summary>The derivatives of the weights, Q·s′ − P·M, with the weights second: the output along the directions.</summary>
internal readonly struct WeightDirectionCoefficient : ICrossCoefficient
{
    public static bool IsOfValue => true;

    public static bool HasSecondOfCells => true;

    public static bool HasSecondOfQueries => false;

    public static bool NeedsMeans => true;

    public static CrossFactors<TReal> Compute<TElement, TStorage, TReal, TAccess, TNormalisation>(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossPair pair,
        in CrossQueryState<TReal> state,
        int set,
        int head)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
        where TNormalisation : struct, IScoreNormalisation
    {
        var direction = CrossPairs<TElement, TStorage, TReal, TAccess>.Direction(in parameters, in pair, head);
        if (TNormalisation.SubtractsMaximum)
        {
            var weight = CrossPairs<TElement, TStorage, TReal, TAccess>.Weight<TNormalisation>(in parameters, in pair, in state, head);
            return new CrossFactors<TReal> { First = weight * (direction - state.Direction), Second = weight };
        }
        var all = CrossPairs<TElement, TStorage, TReal, TAccess>.Weights<TNormalisation>(in parameters, in pair, in state, head);
        return new CrossFactors<TReal>
        {
            First = all.Slope * direction - all.Weight * state.Direction,
            Second = all.Weight,
        };
    }
}

/// <summary>
/// The gradients of the scores of the product with the directions, with those of the backward second; see
/// <see cref="Simd.CrossDoubleBackwardStep{TSimd, TStorage, TReal, TVector, TNormalisation}"/>.
/// </summary>
internal readonly struct SecondScoreCoefficient : ICrossCoefficient
{
    public static bool IsOfValue => false;

    public static bool HasSecondOfCells => true;

    public static bool HasSecondOfQueries => true;

    public static bool NeedsMeans => true;

    public static CrossFactors<TReal> Compute<TElement, TStorage, TReal, TAccess, TNormalisation>(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossPair pair,
        in CrossQueryState<TReal> state,
        int set,
        int head)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
        where TNormalisation : struct, IScoreNormalisation
    {
        var grad = CrossPairs<TElement, TStorage, TReal, TAccess>.Grad(in parameters, in parameters.Value, in pair, set)
            - state.Grad;
        var direction = CrossPairs<TElement, TStorage, TReal, TAccess>.Direction(in parameters, in pair, head);
        var second = CrossPairs<TElement, TStorage, TReal, TAccess>.Grad(
            in parameters, in parameters.ValueDirection, in pair, set);
        if (TNormalisation.SubtractsMaximum)
        {
            var weight = CrossPairs<TElement, TStorage, TReal, TAccess>.Weight<TNormalisation>(in parameters, in pair, in state, head);
            return new CrossFactors<TReal>
            {
                First = weight * ((direction - state.Direction) * grad + second - state.Second),
                Second = weight * grad,
            };
        }
        var all = CrossPairs<TElement, TStorage, TReal, TAccess>.Weights<TNormalisation>(in parameters, in pair, in state, head);
        return new CrossFactors<TReal>
        {
            First = all.Curvature * direction * grad + all.Slope * (second - state.Direction * grad - state.Second),
            Second = all.Slope * grad,
        };
    }
}
