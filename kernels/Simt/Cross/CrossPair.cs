using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>What a query has of the statistics of a head.</summary>
internal struct CrossQueryState<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>What is subtracted from the scores.</summary>
    public TReal Shift;

    /// <summary>The reciprocal of the sum of the unnormalised weights; 0 where nothing is seen.</summary>
    public TReal Reciprocal;

    /// <summary>The mean of the gradients of the weights, A.</summary>
    public TReal Grad;

    /// <summary>The sum of the derivatives of the scores by Q, M.</summary>
    public TReal Direction;

    /// <summary>The sum of Q·s′·a + P·a′, less A·M.</summary>
    public TReal Second;
}

/// <summary>
/// The weight P of a pair, and the first and second derivatives of its unnormalised weight over the sum of all, Q and R.
/// </summary>
internal struct CrossWeight<TReal>
    where TReal : unmanaged
{
    public TReal Weight;
    public TReal Slope;
    public TReal Curvature;
}

/// <summary>A query and a cell that it may see.</summary>
internal struct CrossPair
{
    public int Image;
    public int Row;
    public int Column;
    public int CellRow;
    public int CellColumn;

    /// <summary>How often the cell counts; 0 if the query does not see it.</summary>
    public int Count;

    /// <summary>Finds how often the cell counts.</summary>
    public void FindCount(in AxisRange rows, in AxisRange columns, bool repeats)
    {
        bool sees = CellRow >= rows.First & CellRow < rows.End & CellColumn >= columns.First & CellColumn < columns.End;
        Count = sees ? 1 : 0;
        if (sees & repeats)
            Count = rows.Repeats(CellRow) * columns.Repeats(CellColumn);
    }
}

/// <summary>Inner products and weights of single pairs. A thread computes a pair on its own, four channels at a time.</summary>
internal static class CrossPairs<TElement, TStorage, TReal, TAccess>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAccess : struct, IChannelAccess
{
    /// <summary>The inner product of a query of one map and a cell of another, on some channels from a first one on.</summary>
    public static TReal Dot(
        in MapView<TStorage> queries, in MapView<TStorage> cells, in CrossPair pair, int first, int channels)
    {
        long query = queries.Offset(pair.Image, first, pair.Row, pair.Column);
        long cell = cells.Offset(pair.Image, first, pair.CellRow, pair.CellColumn);
        var sum = TReal.Zero;
        for (int channel = 0; channel < channels; channel += 4)
        {
            var a = TAccess.Load<TElement, TStorage, TReal>(
                in queries, query + channel * queries.ChannelStride, channels - channel);
            var b = TAccess.Load<TElement, TStorage, TReal>(
                in cells, cell + channel * cells.ChannelStride, channels - channel);
            sum = Pack4.AddDot(in a, in b, sum);
        }
        return sum;
    }

    /// <summary>Whether the bias takes the cell of a pair away.</summary>
    public static bool IsMasked(in CrossAttentionParameters<TStorage, TReal> parameters, in CrossPair pair)
    {
        bool masked = false;
        if (parameters.HasBias != 0)
            masked = TReal.IsNegativeInfinity(Bias(in parameters, in pair));
        return masked;
    }

    /// <summary>The score of a pair for a head, bias included.</summary>
    public static TReal Score(in CrossAttentionParameters<TStorage, TReal> parameters, in CrossPair pair, int head)
    {
        int channels = parameters.Extent.KeyChannels;
        var score = parameters.Scale * Dot(in parameters.Query, in parameters.Key, in pair, head * channels, channels);
        if (parameters.HasBias != 0)
            score += Bias(in parameters, in pair);
        return score;
    }

    /// <summary>The weight of a pair for a head.</summary>
    public static TReal Weight<TNormalisation>(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossPair pair,
        in CrossQueryState<TReal> state,
        int head)
        where TNormalisation : struct, IScoreNormalisation =>
        Unnormalised<TNormalisation>(in parameters, in pair, in state, head)
            * state.Reciprocal * TElement.FromCount(pair.Count);

    /// <summary>The derivative of the unnormalised weight of a pair for a head, over the sum of all.</summary>
    public static TReal Slope<TNormalisation>(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossPair pair,
        in CrossQueryState<TReal> state,
        int head)
        where TNormalisation : struct, IScoreNormalisation =>
        TNormalisation.Slope(Unnormalised<TNormalisation>(in parameters, in pair, in state, head))
            * state.Reciprocal * TElement.FromCount(pair.Count);

    /// <summary>The weight of a pair for a head with its derivatives.</summary>
    public static CrossWeight<TReal> Weights<TNormalisation>(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossPair pair,
        in CrossQueryState<TReal> state,
        int head)
        where TNormalisation : struct, IScoreNormalisation
    {
        var unnormalised = Unnormalised<TNormalisation>(in parameters, in pair, in state, head);
        var factor = state.Reciprocal * TElement.FromCount(pair.Count);
        return new CrossWeight<TReal>
        {
            Weight = unnormalised * factor,
            Slope = TNormalisation.Slope(unnormalised) * factor,
            Curvature = TNormalisation.Curvature(unnormalised) * factor,
        };
    }

    /// <summary>The gradient of the weight of a pair, ⟨value, gradient of the output⟩.</summary>
    public static TReal Grad(
        in CrossAttentionParameters<TStorage, TReal> parameters, in MapView<TStorage> values, in CrossPair pair, int set)
    {
        int channels = parameters.Extent.ValueChannels;
        return Dot(in parameters.GradOutput, in values, in pair, set * channels, channels)
            / TElement.FromCount(parameters.Extent.HeadsOfSet);
    }

    /// <summary>The derivative of the score of a pair along the directions.</summary>
    public static TReal Direction(in CrossAttentionParameters<TStorage, TReal> parameters, in CrossPair pair, int head)
    {
        int channels = parameters.Extent.KeyChannels;
        int first = head * channels;
        var sum = Dot(in parameters.QueryDirection, in parameters.Key, in pair, first, channels)
            + Dot(in parameters.Query, in parameters.KeyDirection, in pair, first, channels);
        sum *= parameters.Scale;
        if (parameters.HasBiasDirection != 0)
        {
            sum += TElement.Load(parameters.BiasDirection.Data[
                parameters.BiasDirection.Offset(pair.Image, 0, pair.CellRow, pair.CellColumn)]);
        }
        return sum;
    }

    /// <summary>Reads what is known of a query.</summary>
    /// <param name="parameters">The problem.</param>
    /// <param name="pair">A pair of the query.</param>
    /// <param name="head">The head.</param>
    /// <param name="hasMeans">Whether the means are known.</param>
    public static CrossQueryState<TReal> Read(
        in CrossAttentionParameters<TStorage, TReal> parameters, in CrossPair pair, int head, bool hasMeans)
    {
        var state = default(CrossQueryState<TReal>);
        long at = parameters.Statistics.Offset(pair.Image, 2 * head, pair.Row, pair.Column);
        state.Shift = parameters.Statistics.Data[at];
        var sum = parameters.Statistics.Data[at + parameters.Statistics.ChannelStride];
        state.Reciprocal = sum == TReal.Zero ? TReal.Zero : TReal.One / sum;
        if (hasMeans)
        {
            at = parameters.Means.Offset(pair.Image, 3 * head, pair.Row, pair.Column);
            state.Grad = parameters.Means.Data[at];
            state.Direction = parameters.Means.Data[at + parameters.Means.ChannelStride];
            state.Second = parameters.Means.Data[at + 2 * parameters.Means.ChannelStride] - state.Grad * state.Direction;
        }
        return state;
    }

    private static TReal Unnormalised<TNormalisation>(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossPair pair,
        in CrossQueryState<TReal> state,
        int head)
        where TNormalisation : struct, IScoreNormalisation =>
        TNormalisation.Unnormalised<TElement, TStorage, TReal>(Score(in parameters, in pair, head) - state.Shift);

    private static TReal Bias(in CrossAttentionParameters<TStorage, TReal> parameters, in CrossPair pair) =>
        TElement.Load(parameters.Bias.Data[
            parameters.Bias.Offset(pair.Image, 0, pair.CellRow, pair.CellColumn)]);
}
