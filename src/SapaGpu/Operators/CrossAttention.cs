using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// Cross-resolution attention: each point of a high-resolution query attends to cells of a low-resolution key and value, in any
/// window. The operator of NAF (Chambon et al., <i>NAF: Zero-Shot Feature Upsampling via Neighborhood Attention Filtering</i>,
/// CVPR 2026) and AnyUp (Wimmer et al., ICLR 2026), without copies of key and value at the high resolution and without a mask.
/// </summary>
/// <remarks>
/// <para>Point (y, x) sees the cells whose row is in the range of y and whose column is in that of x
/// (<see cref="WindowRanges"/>). For every head n:</para>
/// <code>
/// score[n, i, j]  = score scale · ⟨query of head n at (y, x), key of head n at (i, j)⟩ + bias(i, j)
/// weight[n, i, j] = softmax of the scores over the cells that are seen, or another normalisation
/// out             = Σ weight · value, of every head on its own channels, or of the mean weights on all channels
/// </code>
/// <para>Shapes: query [B, h·D, OH, OW], key [B, h·D, H, W], value [B, C, H, W], bias [B, 1, H, W], output [B, C, OH, OW], each
/// in either <see cref="MemoryFormat"/>; the sizes of query and key may have any ratio. A cell with a bias of −∞ is not seen: its
/// weight and the gradient of its bias are 0, whatever it holds. A query that sees no cell gives 0, and no gradient; weights of
/// scores of −∞ are 0 as well where there is no other score. With the
/// border <see cref="BorderRule.ZeroLogit"/> taps outside the map have score 0 and value 0, with
/// <see cref="BorderRule.Replicate"/> the cell at the edge is counted once for each.</para>
/// <para><see cref="CrossAttentionOptions.Normalisation"/> replaces the softmax. The sigmoids of the scores are divided by their sum over
/// the cells that are seen, in which taps outside of score 0 have ½ each. Without a normalisation the scores, bias included, are the
/// weights, times how often a cell is counted; a cell with a bias of −∞ has weight 0 there too.</para>
/// <para>Element types: float, double, <see cref="Half"/> and <see cref="BFloat16"/>; sums are in double for double, otherwise
/// in float. The weights are never stored for more than a tile of queries. The backwards use no atomics; their results are
/// bitwise reproducible. Their workspace on the CPU: sums of gradients of the cells, one for each of some bands of output rows,
/// for an image up to 256 MiB, or four times key and value where that is more; for as many images at a time as fit
/// <see cref="DeviceOptions.WorkspaceBytes"/>.</para>
/// </remarks>
public static class CrossAttention
{
    /// <summary>Upsamples a value.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="query">The queries, [B, h·D, OH, OW].</param>
    /// <param name="key">The keys, [B, h·D, H, W].</param>
    /// <param name="value">The features to upsample, [B, C, H, W].</param>
    /// <param name="ranges">What each query sees.</param>
    /// <param name="options">Heads, score scale and normalisation; null for the defaults.</param>
    /// <param name="keyBias">What is added to the scores of a cell, [B, 1, H, W]; −∞ takes it away. Null for 0.</param>
    /// <returns>The output, [B, C, OH, OW], in the format of the value.</returns>
    /// <exception cref="ArgumentException">The shapes do not match each other, the ranges or the heads.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static FeatureMap<T> Forward<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        WindowRanges ranges,
        CrossAttentionOptions? options = null,
        FeatureMap<T>? keyBias = null)
        where T : unmanaged
    {
        options ??= CrossAttentionOptions.Default;
        CheckInputs(query, key, value, keyBias, ranges, options);
        var output = FeatureMap<T>.Create(value.Device, OutputShape(query, value), value.Format);
        Run(query, key, value, keyBias, ranges, options, output, null);
        return output;
    }

    /// <summary>Upsamples a value and returns a context for the backward.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, WindowRanges, CrossAttentionOptions?, FeatureMap{T}?)" path="/typeparam|/returns|/exception"/>
    /// <param name="query">The queries, [B, h·D, OH, OW].</param>
    /// <param name="key">The keys, [B, h·D, H, W].</param>
    /// <param name="value">The features to upsample, [B, C, H, W].</param>
    /// <param name="ranges">What each query sees.</param>
    /// <param name="options">Heads, score scale and normalisation; null for the defaults.</param>
    /// <param name="keyBias">What is added to the scores of a cell, [B, 1, H, W]; −∞ takes it away. Null for 0.</param>
    /// <param name="context">
    /// The context for the backwards, which the caller disposes. It refers to the operands, which must not be changed or
    /// disposed before them.
    /// </param>
    public static FeatureMap<T> Forward<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        WindowRanges ranges,
        CrossAttentionOptions? options,
        FeatureMap<T>? keyBias,
        out CrossAttentionContext<T> context)
        where T : unmanaged
    {
        options ??= CrossAttentionOptions.Default;
        CheckInputs(query, key, value, keyBias, ranges, options);
        var statistics = FeatureMap.Create(
            value.Device, StatisticsShape(query, options), MemoryFormat.Contiguous, ElementTypes.Of<T>().Accumulator());
        context = new CrossAttentionContext<T>(query, key, value, ranges, statistics, options, keyBias);
        var output = FeatureMap<T>.Create(value.Device, OutputShape(query, value), value.Format);
        Run(query, key, value, keyBias, ranges, options, output, statistics);
        return output;
    }

    /// <summary>Upsamples a value into an existing map.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, WindowRanges, CrossAttentionOptions?, FeatureMap{T}?)" path="/typeparam|/exception"/>
    /// <param name="query">The queries, [B, h·D, OH, OW].</param>
    /// <param name="key">The keys, [B, h·D, H, W].</param>
    /// <param name="value">The features to upsample, [B, C, H, W].</param>
    /// <param name="output">Where the output is written, [B, C, OH, OW], in either format.</param>
    /// <param name="ranges">What each query sees.</param>
    /// <param name="options">Heads, score scale and normalisation; null for the defaults.</param>
    /// <param name="keyBias">What is added to the scores of a cell, [B, 1, H, W]; −∞ takes it away. Null for 0.</param>
    /// <param name="statistics">
    /// Where what <see cref="CrossAttentionContext{T}.Statistics"/> holds is written, [B, 2h, OH, OW]; null if there is no
    /// backward.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, or a map that is written shares memory with another.
    /// </exception>
    public static void Forward<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        FeatureMap<T> output,
        WindowRanges ranges,
        CrossAttentionOptions? options = null,
        FeatureMap<T>? keyBias = null,
        FeatureMap? statistics = null)
        where T : unmanaged
    {
        options ??= CrossAttentionOptions.Default;
        ArgumentNullException.ThrowIfNull(output);
        CheckInputs(query, key, value, keyBias, ranges, options);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), v = new(nameof(value), value);
        Operand b = new(nameof(keyBias), keyBias), o = new(nameof(output), output);
        Operand s = new(nameof(statistics), statistics);
        OperandChecks.SameDevice(q, k, v, b, o, s);
        OperandChecks.Shape(nameof(output), output, OutputShape(query, value), q, k, v, b, o, s);
        OperandChecks.NoOverlap(nameof(output), output, q, k, v, b, s);
        if (statistics is not null)
        {
            OperandChecks.Shape(nameof(statistics), statistics, StatisticsShape(query, options), q, k, v, b, o, s);
            OperandChecks.Accumulator<T>(s);
            OperandChecks.NoOverlap(nameof(statistics), statistics, q, k, v, b, o);
        }
        Run(query, key, value, keyBias, ranges, options, output, statistics);
    }

    /// <summary>Computes the gradients from the gradient of the output.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="context">The context of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, C, OH, OW].</param>
    /// <param name="wanted">Which gradients to compute.</param>
    /// <returns>The gradients, each in the format of its operand.</returns>
    /// <exception cref="ArgumentException">The gradient does not have the shape of the output.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wanted"/> has undefined flags.</exception>
    /// <exception cref="DeviceMismatchException">The gradient is on another device.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The context, an operand of the forward or the device was disposed.</exception>
    public static CrossAttentionGradients<T> Backward<T>(
        CrossAttentionContext<T> context, FeatureMap<T> gradOutput, Gradients wanted = Gradients.All)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(gradOutput);
        CheckGradOutput(context, gradOutput);
        var gradients = Create(context, null, wanted);
        Backward(context, gradOutput, gradients.Query, gradients.Key, gradients.Value, gradients.KeyBias);
        return gradients;
    }

    /// <summary>Computes the gradients into existing maps.</summary>
    /// <inheritdoc cref="Backward{T}(CrossAttentionContext{T}, FeatureMap{T}, Gradients)" path="/typeparam|/exception"/>
    /// <param name="context">The context of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, C, OH, OW].</param>
    /// <param name="gradQuery">Where to write the gradient of the query, in its shape; null to leave it out.</param>
    /// <param name="gradKey">Where to write the gradient of the key, in its shape; null to leave it out.</param>
    /// <param name="gradValue">Where to write the gradient of the value, in its shape; null to leave it out.</param>
    /// <param name="gradKeyBias">Where to write the gradient of the bias, in its shape; null to leave it out.</param>
    /// <exception cref="ArgumentException">
    /// A shape is wrong, a map that is written shares memory with another, or there is no bias.
    /// </exception>
    public static void Backward<T>(
        CrossAttentionContext<T> context,
        FeatureMap<T> gradOutput,
        FeatureMap<T>? gradQuery,
        FeatureMap<T>? gradKey,
        FeatureMap<T>? gradValue,
        FeatureMap<T>? gradKeyBias = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(gradOutput);
        CheckGradOutput(context, gradOutput);
        var results = new CrossResults(null, gradQuery, gradKey, gradValue, gradKeyBias);
        CheckResults(context, in results, new(nameof(gradOutput), gradOutput));
        using var call = Operands.Hold(
            context.Query, context.Key, context.Value, context.KeyBias, context.Statistics, gradOutput, gradQuery, gradKey, gradValue, gradKeyBias);
        CrossAttentionKernels.For(gradOutput).Backward(OperandsOf(context), context.Statistics, gradOutput, in results);
    }

    /// <summary>
    /// Computes the gradients of S = ⟨gradient of the query, its direction⟩ + the same of key, value and bias, where those
    /// gradients are those of <see cref="Backward{T}(CrossAttentionContext{T}, FeatureMap{T}, Gradients)"/>: the backward of the
    /// backward.
    /// </summary>
    /// <inheritdoc cref="Backward{T}(CrossAttentionContext{T}, FeatureMap{T}, Gradients)" path="/typeparam|/exception"/>
    /// <param name="context">The context of the forward.</param>
    /// <param name="gradOutput">The gradient of the output that the backward was given, [B, C, OH, OW].</param>
    /// <param name="queryDirection">The direction of the gradient of the query, in its shape; null for 0.</param>
    /// <param name="keyDirection">The direction of the gradient of the key, in its shape; null for 0.</param>
    /// <param name="valueDirection">The direction of the gradient of the value, in its shape; null for 0.</param>
    /// <param name="keyBiasDirection">The direction of the gradient of the bias, in its shape; null for 0.</param>
    /// <param name="wanted">Which gradients of S to compute.</param>
    /// <returns>The gradients of S, each in the format of its operand.</returns>
    /// <exception cref="ArgumentException">A shape is wrong, or there is a direction but no bias.</exception>
    public static CrossAttentionGradients<T> DoubleBackward<T>(
        CrossAttentionContext<T> context,
        FeatureMap<T> gradOutput,
        FeatureMap<T>? queryDirection,
        FeatureMap<T>? keyDirection,
        FeatureMap<T>? valueDirection,
        FeatureMap<T>? keyBiasDirection = null,
        Gradients wanted = Gradients.All)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(gradOutput);
        CheckGradOutput(context, gradOutput);
        Operand q = new(nameof(queryDirection), queryDirection), k = new(nameof(keyDirection), keyDirection);
        Operand v = new(nameof(valueDirection), valueDirection), b = new(nameof(keyBiasDirection), keyBiasDirection);
        Operand g = new(nameof(gradOutput), gradOutput);
        CheckLike(q, context.Query, g, q, k, v, b);
        CheckLike(k, context.Key, g, q, k, v, b);
        CheckLike(v, context.Value, g, q, k, v, b);
        CheckLike(b, context.KeyBias, g, q, k, v, b);
        var gradients = Create(context, gradOutput, wanted);
        using var noQuery = queryDirection is null ? Zero(context.Query) : null;
        using var noKey = keyDirection is null ? Zero(context.Key) : null;
        using var noValue = valueDirection is null ? Zero(context.Value) : null;
        var directions = new CrossDirections(
            queryDirection ?? noQuery!, keyDirection ?? noKey!, valueDirection ?? noValue!, keyBiasDirection);
        using var call = Operands.Hold(
            context.Query, context.Key, context.Value, context.KeyBias, context.Statistics, gradOutput,
            directions.Query, directions.Key, directions.Value, directions.KeyBias,
            gradients.GradOutput, gradients.Query, gradients.Key, gradients.Value, gradients.KeyBias);
        CrossAttentionKernels.For(gradOutput).DoubleBackward(
            OperandsOf(context),
            context.Statistics,
            gradOutput,
            in directions,
            new CrossResults(gradients.GradOutput, gradients.Query, gradients.Key, gradients.Value, gradients.KeyBias));
        return gradients;
    }

    /// <summary>Checks the operands and returns the shapes of the output and of the statistics.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, WindowRanges, CrossAttentionOptions?, FeatureMap{T}?)"/>
    /// <returns>
    /// Output, [B, C, OH, OW], and <see cref="CrossAttentionContext{T}.Statistics"/>, [B, 2h, OH, OW].
    /// </returns>
    public static (MapShape Output, MapShape Statistics) Shapes<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        WindowRanges ranges,
        CrossAttentionOptions? options = null,
        FeatureMap<T>? keyBias = null)
        where T : unmanaged
    {
        options ??= CrossAttentionOptions.Default;
        CheckInputs(query, key, value, keyBias, ranges, options);
        return (OutputShape(query, value), StatisticsShape(query, options));
    }

    /// <summary>Checks the operands of a call.</summary>
    internal static void CheckInputs<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        FeatureMap<T>? keyBias,
        WindowRanges ranges,
        CrossAttentionOptions options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(ranges);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), v = new(nameof(value), value);
        Operand b = new(nameof(keyBias), keyBias);
        OperandChecks.SameDevice(q, k, v, b);
        SupportChecks.Require(query, q, k, v, b);
        int batch = key.Shape.Batch, channels = key.Shape.Channels, height = key.Shape.Height, width = key.Shape.Width;
        OperandChecks.Shape(
            nameof(query), query, new MapShape(batch, channels, query.Shape.Height, query.Shape.Width), q, k, v, b);
        OperandChecks.Shape(
            nameof(value), value, new MapShape(batch, value.Shape.Channels, height, width), q, k, v, b);
        if (keyBias is not null)
            OperandChecks.Shape(nameof(keyBias), keyBias, new MapShape(batch, 1, height, width), q, k, v, b);
        if (ranges.Rows.Cells != height || ranges.Columns.Cells != width
            || ranges.Rows.Outputs != query.Shape.Height || ranges.Columns.Outputs != query.Shape.Width)
        {
            throw new ArgumentException(
                $"The ranges are for {ranges}, the operands are {height}x{width} to {query.Shape.Height}x{query.Shape.Width}; " +
                $"create ranges for these sizes. {OperandChecks.Describe(q, k, v, b)}",
                nameof(ranges));
        }
        if (options.Heads < 1 || channels % options.Heads != 0
            || (!options.AveragesHeads && value.Shape.Channels % options.Heads != 0))
        {
            throw new ArgumentException(
                $"There are {options.Heads} heads; they must be a divisor of the channels of query and key" +
                $"{(options.AveragesHeads ? string.Empty : ", and of those of the value, which they share out")}. " +
                OperandChecks.Describe(q, k, v, b),
                nameof(options));
        }
        if (!double.IsFinite(options.ScoreScale))
        {
            throw new ArgumentException(
                $"The score scale is {options.ScoreScale}, but must be finite. {OperandChecks.Describe(q, k, v, b)}",
                nameof(options));
        }
    }

    /// <summary>The shape of the statistics of a forward.</summary>
    internal static MapShape StatisticsShape(FeatureMap query, CrossAttentionOptions options) =>
        new(query.Shape.Batch, checked(2 * options.Heads), query.Shape.Height, query.Shape.Width);

    private static MapShape OutputShape(FeatureMap query, FeatureMap value) =>
        new(value.Shape.Batch, value.Shape.Channels, query.Shape.Height, query.Shape.Width);

    private static void Run<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        FeatureMap<T>? keyBias,
        WindowRanges ranges,
        CrossAttentionOptions options,
        FeatureMap<T> output,
        FeatureMap? statistics)
        where T : unmanaged
    {
        using var call = Operands.Hold(query, key, value, keyBias, output, statistics);
        CrossAttentionKernels.For(output).Forward(
            new CrossOperands(
                query,
                key,
                value,
                keyBias,
                ranges,
                options.Heads,
                options.AveragesHeads,
                options.ScoreScale,
                options.Normalisation),
            output,
            statistics);
    }

    private static CrossOperands OperandsOf<T>(CrossAttentionContext<T> context)
        where T : unmanaged => new(
            context.Query,
            context.Key,
            context.Value,
            context.KeyBias,
            context.Ranges,
            context.Options.Heads,
            context.Options.AveragesHeads,
            context.Options.ScoreScale,
            context.Options.Normalisation);

    private static CrossAttentionGradients<T> Create<T>(
        CrossAttentionContext<T> context, FeatureMap<T>? gradOutput, Gradients wanted)
        where T : unmanaged => new(
            gradOutput is not null && wanted.Includes(Gradients.GradOutput) ? FeatureMap<T>.CreateLike(gradOutput) : null,
            wanted.Includes(Gradients.Query) ? FeatureMap<T>.CreateLike(context.Query) : null,
            wanted.Includes(Gradients.Key) ? FeatureMap<T>.CreateLike(context.Key) : null,
            wanted.Includes(Gradients.Value) ? FeatureMap<T>.CreateLike(context.Value) : null,
            context.KeyBias is not null && wanted.Includes(Gradients.KeyBias)
                ? FeatureMap<T>.CreateLike(context.KeyBias)
                : null);

    private static FeatureMap<T> Zero<T>(FeatureMap<T> map)
        where T : unmanaged
    {
        var zero = FeatureMap<T>.CreateLike(map);
        zero.Clear();
        return zero;
    }

    private static void CheckGradOutput<T>(CrossAttentionContext<T> context, FeatureMap<T> gradOutput)
        where T : unmanaged
    {
        Operand q = new("query", context.Query), k = new("key", context.Key), v = new("value", context.Value);
        Operand g = new(nameof(gradOutput), gradOutput);
        OperandChecks.SameDevice(q, k, v, g, new("context", context.Statistics));
        OperandChecks.Shape(nameof(gradOutput), gradOutput, OutputShape(context.Query, context.Value), q, k, v, g);
    }

    private static void CheckLike<T>(Operand operand, FeatureMap<T>? like, params ReadOnlySpan<Operand> all)
        where T : unmanaged
    {
        if (operand.Map is null)
            return;
        OperandChecks.SameDevice(all);
        if (like is null)
        {
            throw new ArgumentException(
                $"'{operand.Name}' is given, but the forward had no bias. {OperandChecks.Describe(all)}", operand.Name);
        }
        OperandChecks.Shape(operand.Name, operand.Map, like.Shape, all);
    }

    private static void CheckResults<T>(
        CrossAttentionContext<T> context,
        in CrossResults results,
        Operand g)
        where T : unmanaged
    {
        Operand q = new("gradQuery", results.Query), k = new("gradKey", results.Key), v = new("gradValue", results.Value);
        Operand b = new("gradKeyBias", results.KeyBias);
        CheckLike(q, context.Query, g, q, k, v, b);
        CheckLike(k, context.Key, g, q, k, v, b);
        CheckLike(v, context.Value, g, q, k, v, b);
        CheckLike(b, context.KeyBias, g, q, k, v, b);
        foreach (var written in (ReadOnlySpan<Operand>)[q, k, v, b])
        {
            OperandChecks.NoOverlap(
                written.Name,
                written.Map,
                new("query", context.Query),
                new("key", context.Key),
                new("value", context.Value),
                new("keyBias", context.KeyBias),
                g,
                q,
                k,
                v,
                b);
        }
    }
}
