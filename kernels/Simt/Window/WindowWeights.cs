using System.Numerics;

namespace SapaGpu.Kernels.Maps;


/// <summary>The contract of turning scores into weights as a step of its own, and of its backward.</summary>
public struct WindowWeightsParameters<TStorage, TResult>
    where TStorage : unmanaged
    where TResult : unmanaged
{
    /// <summary>The extent of the problem; its window is that of one head.</summary>
    public WindowExtent Extent;

    /// <summary>The heads, each with taps of its own.</summary>
    public int Heads;

    /// <summary>The taps of a head.</summary>
    public int Taps;

    /// <summary>Whether taps outside the decoder map are left out.</summary>
    public int Masked;

    /// <summary>Whether the gradient is that of the mean of all heads, [B, taps, OH, OW].</summary>
    public int Averaged;

    /// <summary>Scores, or for a reduction weights, [B, heads·taps, OH, OW].</summary>
    public MapView<TStorage> Source;

    /// <summary>The gradient of the weights.</summary>
    public MapView<TStorage> Gradient;

    /// <summary>What is computed.</summary>
    public MapView<TResult> Result;

    /// <summary>Whether a tap of the query's window is left out.</summary>
    public readonly bool LeavesOut(in MapPosition query, int tap)
    {
        if (Masked == 0)
            return false;
        int row = Extent.Rows.CellOf(query.Row) + tap / Extent.Window - Extent.Radius;
        int column = Extent.Columns.CellOf(query.Column) + tap % Extent.Window - Extent.Radius;
        return row < 0 || row >= Extent.Height || column < 0 || column >= Extent.Width;
    }

    /// <summary>One value for every head and query.</summary>
    public readonly MapExtent PerHead() => MapExtent.Of(
        in Source, Extent.Batch, Heads, Extent.Rows.Queries, Extent.Columns.Queries);
}

/// <summary>The weights of every head, [B, heads·taps, OH, OW]; a thread takes one head of one query.</summary>
public readonly struct WindowWeightsForward<TElement, TStorage, TAccumulator, TNormalisation>
    : IMapProgram<WindowWeightsParameters<TStorage, TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    where TNormalisation : struct, INormalisation
{
    /// <inheritdoc/>
    public static MapExtent Extent(in WindowWeightsParameters<TStorage, TStorage> parameters) => parameters.PerHead();

    /// <inheritdoc/>
    public static double OperationsPerValue(in WindowWeightsParameters<TStorage, TStorage> parameters) =>
        40.0 * parameters.Taps;

    /// <inheritdoc/>
    public static void Apply(in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at)
    {
        long source = First(in parameters, in at);
        var shift = Shift(in parameters, in at, source);
        var factor = TAccumulator.One;
        if (TNormalisation.Divides)
            factor /= Sum(in parameters, in at, source, shift);
        long result = parameters.Result.Offset(at.Image, at.Channel * parameters.Taps, at.Row, at.Column);
        for (int tap = 0; tap < parameters.Taps; tap++)
        {
            var weight = factor * Power(in parameters, in at, source, shift, tap);
            parameters.Result.Data[result] = TElement.Store(weight);
            result += parameters.Result.ChannelStride;
        }
    }

    internal static long First(in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at) =>
        parameters.Source.Offset(at.Image, at.Channel * parameters.Taps, at.Row, at.Column);

    internal static TAccumulator Shift(
        in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at, long source)
    {
        if (!TNormalisation.Shifts)
            return TAccumulator.Zero;
        var shift = TAccumulator.NegativeInfinity;
        for (int tap = 0; tap < parameters.Taps; tap++)
        {
            var score = TElement.Load(parameters.Source.Data[source + tap * parameters.Source.ChannelStride]);
            if (!(score <= shift) && !parameters.LeavesOut(in at, tap))
                shift = score;
        }
        return shift;
    }

    internal static TAccumulator Sum(
        in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at, long source, TAccumulator shift)
    {
        var sum = TAccumulator.Zero;
        for (int tap = 0; tap < parameters.Taps; tap++)
            sum += Power(in parameters, in at, source, shift, tap);
        return sum;
    }

    internal static TAccumulator Power(
        in WindowWeightsParameters<TStorage, TStorage> parameters,
        in MapPosition at,
        long source,
        TAccumulator shift,
        int tap)
    {
        if (parameters.LeavesOut(in at, tap))
            return TAccumulator.Zero;
        var score = TElement.Load(parameters.Source.Data[source + tap * parameters.Source.ChannelStride]);
        return TNormalisation.Power<TElement, TStorage, TAccumulator>(score - shift);
    }
}

/// <summary>The gradient of the scores, p'/S·(dw − Σ w·dw); a thread takes one head of one query.</summary>
public readonly struct WindowWeightsBackward<TElement, TStorage, TAccumulator, TNormalisation>
    : IMapProgram<WindowWeightsParameters<TStorage, TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    where TNormalisation : struct, INormalisation
{
    /// <inheritdoc/>
    public static MapExtent Extent(in WindowWeightsParameters<TStorage, TStorage> parameters) => parameters.PerHead();

    /// <inheritdoc/>
    public static double OperationsPerValue(in WindowWeightsParameters<TStorage, TStorage> parameters) =>
        60.0 * parameters.Taps;

    /// <inheritdoc/>
    public static void Apply(in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at)
    {
        long source = WindowWeightsForward<TElement, TStorage, TAccumulator, TNormalisation>.First(in parameters, in at);
        var shift = WindowWeightsForward<TElement, TStorage, TAccumulator, TNormalisation>.Shift(
            in parameters, in at, source);
        int channel = at.Channel * parameters.Taps;
        long gradient = parameters.Gradient.Offset(
            at.Image, parameters.Averaged != 0 ? 0 : channel, at.Row, at.Column);
        var share = TAccumulator.One;
        if (parameters.Averaged != 0)
            share /= TElement.FromCount(parameters.Heads);
        var factor = TAccumulator.One;
        var mean = TAccumulator.Zero;
        if (TNormalisation.Divides)
        {
            var sum = TAccumulator.Zero;
            for (int tap = 0; tap < parameters.Taps; tap++)
            {
                var power = WindowWeightsForward<TElement, TStorage, TAccumulator, TNormalisation>.Power(
                    in parameters, in at, source, shift, tap);
                sum += power;
                mean += power * TElement.Load(
                    parameters.Gradient.Data[gradient + tap * parameters.Gradient.ChannelStride]);
            }
            factor /= sum;
            mean *= factor;
        }
        long result = parameters.Result.Offset(at.Image, channel, at.Row, at.Column);
        for (int tap = 0; tap < parameters.Taps; tap++)
        {
            var value = TAccumulator.Zero;
            if (!parameters.LeavesOut(in at, tap))
            {
                var power = WindowWeightsForward<TElement, TStorage, TAccumulator, TNormalisation>.Power(
                    in parameters, in at, source, shift, tap);
                var own = TElement.Load(parameters.Gradient.Data[gradient + tap * parameters.Gradient.ChannelStride]);
                value = TNormalisation.Slope(power) * factor * share * (own - mean);
            }
            parameters.Result.Data[result] = TElement.Store(value);
            result += parameters.Result.ChannelStride;
        }
    }
}

/// <summary>The mean of the weights of all heads, [B, taps, OH, OW].</summary>
public readonly struct HeadMean<TElement, TStorage, TAccumulator>
    : IMapProgram<WindowWeightsParameters<TStorage, TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in WindowWeightsParameters<TStorage, TStorage> parameters) => MapExtent.Of(
        in parameters.Result,
        parameters.Extent.Batch,
        parameters.Taps,
        parameters.Extent.Rows.Queries,
        parameters.Extent.Columns.Queries);

    /// <inheritdoc/>
    public static double OperationsPerValue(in WindowWeightsParameters<TStorage, TStorage> parameters) =>
        8.0 + parameters.Heads;

    /// <inheritdoc/>
    public static void Apply(in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at)
    {
        long source = at.In(in parameters.Source);
        var sum = TAccumulator.Zero;
        for (int head = 0; head < parameters.Heads; head++)
        {
            sum += TElement.Load(parameters.Source.Data[source]);
            source += parameters.Taps * parameters.Source.ChannelStride;
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(sum / TElement.FromCount(parameters.Heads));
    }
}

/// <summary>
/// Adds the weights of taps outside the map to those of the cells that they stand for, in the order of the taps; the
/// others keep theirs, and taps outside have none left.
/// </summary>
public readonly struct WeightFold<TElement, TStorage, TAccumulator>
    : IMapProgram<WindowWeightsParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in WindowWeightsParameters<TStorage, TAccumulator> parameters) => MapExtent.Of(
        in parameters.Result,
        parameters.Extent.Batch,
        parameters.Taps,
        parameters.Extent.Rows.Queries,
        parameters.Extent.Columns.Queries);

    /// <inheritdoc/>
    public static double OperationsPerValue(in WindowWeightsParameters<TStorage, TAccumulator> parameters) => 16;

    /// <inheritdoc/>
    public static void Apply(in WindowWeightsParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        int window = parameters.Extent.Window;
        int tapRow = at.Channel / window;
        int tapColumn = at.Channel % window;
        int row = parameters.Extent.Rows.CellOf(at.Row) + tapRow - parameters.Extent.Radius;
        int column = parameters.Extent.Columns.CellOf(at.Column) + tapColumn - parameters.Extent.Radius;
        var sum = TAccumulator.Zero;
        if (row >= 0 && row < parameters.Extent.Height && column >= 0 && column < parameters.Extent.Width)
        {
            int firstRow = row == 0 ? 0 : tapRow;
            int lastRow = row == parameters.Extent.Height - 1 ? window - 1 : tapRow;
            int firstColumn = column == 0 ? 0 : tapColumn;
            int lastColumn = column == parameters.Extent.Width - 1 ? window - 1 : tapColumn;
            for (int i = firstRow; i <= lastRow; i++)
            {
                for (int j = firstColumn; j <= lastColumn; j++)
                {
                    long source = parameters.Source.Offset(at.Image, i * window + j, at.Row, at.Column);
                    sum += TElement.Load(parameters.Source.Data[source]);
                }
            }
        }
        parameters.Result.Data[at.In(in parameters.Result)] = sum;
    }
}
