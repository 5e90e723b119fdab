using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// Attention over points that move with the query, the operator of SAPA-D (<i>On Point Affiliation in Feature
/// Upsampling</i>, arXiv 2307.08198, section 4), and its two halves.
/// </summary>
/// <remarks>
/// <para>Point p of group g of query (y, x) lies at row ⌊y·H/OH⌋ + offset[(g·P + p)·2 + 1] and column ⌊x·W/OW⌋ +
/// offset[(g·P + p)·2], in cells. The map there is the bilinear interpolation between cell centres, cells outside counting
/// as 0; a point contributes only where −1 &lt; row &lt; H and −1 &lt; column &lt; W.</para>
/// <code>
/// score[g, p] = ⟨query of group g, key of group g at point p⟩
/// weight      = softmax over the P points (points outside take part with score 0)
/// output      = Σₚ weight[g, p] · value of group g at point p
/// </code>
/// <para>Shapes: query [B, G·D, OH, OW], key [B, G·D, H, W], value [B, G·C, H, W], offsets [B, G·P·2, OH, OW], scores and
/// weights [B, G·P, OH, OW], output [B, G·C, OH, OW]; either format each. At whole coordinates the gradient of an offset is
/// the one towards larger coordinates.</para>
/// <para>On a GPU the fused operator keeps the weights, G·P values a query, in memory between its steps; on the CPU only its
/// backward keeps them, and the gradients of the scores, for the gradients of the maps. Those of the maps
/// are sums over the points that touch a cell, added in a fixed order without atomics: the same bits in every run. On a GPU
/// the points of a cell are found by a stable counting sort, which takes 8 bytes for each of up to four cells of a point (12
/// in double precision), one image at a time; on the CPU every thread owns some channels of the whole map.</para>
/// </remarks>
public static class DeformableAttention
{
    /// <summary>The scores of query and key at the points.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="query">Query, [B, G·D, OH, OW].</param>
    /// <param name="key">Key, [B, G·D, H, W].</param>
    /// <param name="offsets">Offsets, [B, G·P·2, OH, OW].</param>
    /// <param name="options">Groups and points.</param>
    /// <returns>The scores, [B, G·P, OH, OW], in the format of the query.</returns>
    /// <exception cref="ArgumentException">The shapes do not belong together.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device has not the element type, or there are too many samples.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static FeatureMap<T> Scores<T>(FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> offsets, DeformableAttentionOptions options)
        where T : unmanaged
    {
        Operand q = new(nameof(query), query), k = new(nameof(key), key), o = new(nameof(offsets), offsets);
        Check(options, q, k, o);
        var scores = FeatureMap<T>.Create(query.Device, PointShape(offsets, options), query.Format);
        using var call = Operands.Hold(query, key, offsets);
        DeformableKernels.For(query.ElementType).Scores(options.Groups, options.Points, query, key, offsets, scores);
        return scores;
    }

    /// <summary>The gradients of <see cref="Scores"/>: of query, key and offsets.</summary>
    /// <inheritdoc cref="Scores"/>
    /// <param name="query">Query of the forward.</param>
    /// <param name="key">Key of the forward.</param>
    /// <param name="offsets">Offsets of the forward.</param>
    /// <param name="gradScores">The gradient of the scores, [B, G·P, OH, OW].</param>
    /// <param name="options">Groups and points.</param>
    /// <returns>The gradients, each in the format of its operand.</returns>
    public static (FeatureMap<T> Query, FeatureMap<T> Key, FeatureMap<T> Offsets) ScoresBackward<T>(
        FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> offsets, FeatureMap<T> gradScores, DeformableAttentionOptions options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradScores);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), o = new(nameof(offsets), offsets);
        Operand g = new(nameof(gradScores), gradScores);
        Check(options, q, k, o);
        OperandChecks.SameDevice(q, k, o, g);
        OperandChecks.Shape(nameof(gradScores), gradScores, PointShape(offsets, options), q, k, o, g);
        var (gradQuery, gradKey, gradOffsets) = (Like(query), Like(key), Like(offsets));
        using var call = Operands.Hold(query, key, offsets, gradScores);
        var kernels = DeformableKernels.For(query.ElementType);
        var (groups, points) = (options.Groups, options.Points);
        kernels.Reassembly(groups, points, gradScores, key, offsets, gradQuery);
        kernels.OffsetGradient(groups, points, gradScores, query, key, offsets, gradOffsets, accumulate: false);
        kernels.MapGradients(groups, points, offsets, new DeformableGradient(gradScores, query, gradKey));
        return (gradQuery, gradKey, gradOffsets);
    }

    /// <summary>The sum of the value at the points, each with its weight.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="weights">Weights, [B, G·P, OH, OW].</param>
    /// <param name="value">Value, [B, G·C, H, W].</param>
    /// <param name="offsets">Offsets, [B, G·P·2, OH, OW].</param>
    /// <param name="options">Groups and points.</param>
    /// <returns>The output, [B, G·C, OH, OW], in the format of the value.</returns>
    /// <exception cref="ArgumentException">The shapes do not belong together.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device has not the element type, or there are too many samples.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static FeatureMap<T> Reassemble<T>(
        FeatureMap<T> weights, FeatureMap<T> value, FeatureMap<T> offsets, DeformableAttentionOptions options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(weights);
        Operand w = new(nameof(weights), weights), v = new(nameof(value), value), o = new(nameof(offsets), offsets);
        Check(options, default, v, o);
        OperandChecks.SameDevice(w, v, o);
        OperandChecks.Shape(nameof(weights), weights, PointShape(offsets, options), w, v, o);
        var output = FeatureMap<T>.Create(value.Device, OutputShape(value, offsets), value.Format);
        using var call = Operands.Hold(weights, value, offsets);
        DeformableKernels.For(value.ElementType).Reassembly(options.Groups, options.Points, weights, value, offsets, output);
        return output;
    }

    /// <summary>The gradients of <see cref="Reassemble"/>: of weights, value and offsets.</summary>
    /// <inheritdoc cref="Reassemble"/>
    /// <param name="weights">Weights of the forward.</param>
    /// <param name="value">Value of the forward.</param>
    /// <param name="offsets">Offsets of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, G·C, OH, OW].</param>
    /// <param name="options">Groups and points.</param>
    /// <returns>The gradients, each in the format of its operand.</returns>
    public static (FeatureMap<T> Weights, FeatureMap<T> Value, FeatureMap<T> Offsets) ReassembleBackward<T>(
        FeatureMap<T> weights, FeatureMap<T> value, FeatureMap<T> offsets, FeatureMap<T> gradOutput, DeformableAttentionOptions options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(gradOutput);
        Operand w = new(nameof(weights), weights), v = new(nameof(value), value), o = new(nameof(offsets), offsets);
        Operand g = new(nameof(gradOutput), gradOutput);
        Check(options, default, v, o);
        OperandChecks.SameDevice(w, v, o, g);
        OperandChecks.Shape(nameof(weights), weights, PointShape(offsets, options), w, v, o, g);
        OperandChecks.Shape(nameof(gradOutput), gradOutput, OutputShape(value, offsets), w, v, o, g);
        var (gradWeights, gradValue, gradOffsets) = (Like(weights), Like(value), Like(offsets));
        using var call = Operands.Hold(weights, value, offsets, gradOutput);
        var kernels = DeformableKernels.For(value.ElementType);
        var (groups, points) = (options.Groups, options.Points);
        kernels.ScoresAndOffsetGradient(groups, points, weights, gradOutput, value, offsets, gradWeights, gradOffsets);
        kernels.MapGradients(groups, points, offsets, new DeformableGradient(weights, gradOutput, gradValue));
        return (gradWeights, gradValue, gradOffsets);
    }

    /// <summary>Scores, softmax and reassembly in one.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="query">Query, [B, G·D, OH, OW].</param>
    /// <param name="key">Key, [B, G·D, H, W].</param>
    /// <param name="value">Value, [B, G·C, H, W].</param>
    /// <param name="offsets">Offsets, [B, G·P·2, OH, OW].</param>
    /// <param name="options">Groups and points.</param>
    /// <returns>The output, [B, G·C, OH, OW], in the format of the value.</returns>
    /// <exception cref="ArgumentException">The shapes do not belong together.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device has not the element type, or there are too many samples.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static FeatureMap<T> Forward<T>(
        FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> value, FeatureMap<T> offsets, DeformableAttentionOptions options)
        where T : unmanaged
    {
        CheckOperands(query, key, value, offsets, options);
        var output = FeatureMap<T>.Create(value.Device, OutputShape(value, offsets), value.Format);
        Attend(query, key, value, offsets, output, options);
        return output;
    }

    /// <summary>Scores, softmax and reassembly in one, into a tensor of the caller.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, DeformableAttentionOptions)"/>
    /// <param name="query">Query, [B, G·D, OH, OW].</param>
    /// <param name="key">Key, [B, G·D, H, W].</param>
    /// <param name="value">Value, [B, G·C, H, W].</param>
    /// <param name="offsets">Offsets, [B, G·P·2, OH, OW].</param>
    /// <param name="output">Where the output is written, [B, G·C, OH, OW], in any format.</param>
    /// <param name="options">Groups and points.</param>
    public static void Forward<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        FeatureMap<T> offsets,
        FeatureMap<T> output,
        DeformableAttentionOptions options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(output);
        CheckOperands(query, key, value, offsets, options);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), v = new(nameof(value), value);
        Operand o = new(nameof(offsets), offsets), result = new(nameof(output), output);
        OperandChecks.SameDevice(q, k, v, o, result);
        OperandChecks.Shape(nameof(output), output, OutputShape(value, offsets), q, k, v, o, result);
        OperandChecks.NoOverlap(nameof(output), output, q, k, v, o);
        Attend(query, key, value, offsets, output, options);
    }

    /// <summary>The gradients of the fused operator; scores and weights are computed anew.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, DeformableAttentionOptions)"/>
    /// <param name="query">Query of the forward.</param>
    /// <param name="key">Key of the forward.</param>
    /// <param name="value">Value of the forward.</param>
    /// <param name="offsets">Offsets of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, G·C, OH, OW].</param>
    /// <param name="options">Groups and points.</param>
    /// <returns>The gradients, each in the format of its operand.</returns>
    public static DeformableAttentionGradients<T> Backward<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        FeatureMap<T> offsets,
        FeatureMap<T> gradOutput,
        DeformableAttentionOptions options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(offsets);
        var (gradQuery, gradKey, gradValue, gradOffsets) = (Like(query), Like(key), Like(value), Like(offsets));
        Backward(query, key, value, offsets, gradOutput, gradQuery, gradKey, gradValue, gradOffsets, options);
        return new DeformableAttentionGradients<T>(gradQuery, gradKey, gradValue, gradOffsets);
    }

    /// <summary>The gradients of the fused operator, written where a tensor is given.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, DeformableAttentionOptions)"/>
    /// <param name="query">Query of the forward.</param>
    /// <param name="key">Key of the forward.</param>
    /// <param name="value">Value of the forward.</param>
    /// <param name="offsets">Offsets of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, G·C, OH, OW].</param>
    /// <param name="gradQuery">Where to write the gradient of the query; null to leave it out.</param>
    /// <param name="gradKey">Where to write the gradient of the key; null to leave it out.</param>
    /// <param name="gradValue">Where to write the gradient of the value; null to leave it out.</param>
    /// <param name="gradOffsets">Where to write the gradient of the offsets; null to leave it out.</param>
    /// <param name="options">Groups and points.</param>
    public static void Backward<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        FeatureMap<T> offsets,
        FeatureMap<T> gradOutput,
        FeatureMap<T>? gradQuery,
        FeatureMap<T>? gradKey,
        FeatureMap<T>? gradValue,
        FeatureMap<T>? gradOffsets,
        DeformableAttentionOptions options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradOutput);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), v = new(nameof(value), value);
        Operand o = new(nameof(offsets), offsets), g = new(nameof(gradOutput), gradOutput);
        CheckOperands(query, key, value, offsets, options);
        OperandChecks.SameDevice(q, k, v, o, g);
        OperandChecks.Shape(nameof(gradOutput), gradOutput, OutputShape(value, offsets), q, k, v, o, g);
        Operand gq = new(nameof(gradQuery), gradQuery), gk = new(nameof(gradKey), gradKey);
        Operand gv = new(nameof(gradValue), gradValue), go = new(nameof(gradOffsets), gradOffsets);
        CheckGradient(gq, query.Shape);
        CheckGradient(gk, key.Shape);
        CheckGradient(gv, value.Shape);
        CheckGradient(go, offsets.Shape);
        using var call = Operands.Hold(
            query, key, value, offsets, gradOutput, gradQuery, gradKey, gradValue, gradOffsets);
        DeformableAttentionKernels.For(value.ElementType).Backward(
            new DeformableAttentionOperands(query, key, value, offsets, options),
            gradOutput,
            new DeformableAttentionGradients(gradQuery, gradKey, gradValue, gradOffsets));

        void CheckGradient(Operand gradient, MapShape expected)
        {
            if (gradient.Map is null)
                return;
            OperandChecks.SameDevice(q, k, v, o, g, gradient);
            OperandChecks.Shape(gradient.Name, gradient.Map, expected, q, k, v, o, gradient);
            OperandChecks.NoOverlap(gradient.Name, gradient.Map, q, k, v, o, g, gq, gk, gv, go);
        }
    }

    private static void Attend<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        FeatureMap<T> offsets,
        FeatureMap<T> output,
        DeformableAttentionOptions options)
        where T : unmanaged
    {
        using var call = Operands.Hold(query, key, value, offsets, output);
        DeformableAttentionKernels.For(value.ElementType).Forward(
            new DeformableAttentionOperands(query, key, value, offsets, options), output);
    }

    private static void CheckOperands<T>(
        FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> value, FeatureMap<T> offsets, DeformableAttentionOptions options)
        where T : unmanaged
    {
        Operand q = new(nameof(query), query), k = new(nameof(key), key), v = new(nameof(value), value);
        Operand o = new(nameof(offsets), offsets);
        Check(options, default, v, o);
        Check(options, q, k, o);
        OperandChecks.SameDevice(q, k, v, o);
        if (value.Shape.Height != key.Shape.Height || value.Shape.Width != key.Shape.Width)
        {
            throw new ArgumentException(
                $"'value' must have the size of 'key'. {OperandChecks.Describe(q, k, v, o)}", nameof(value));
        }
    }

    private static MapShape PointShape(FeatureMap offsets, DeformableAttentionOptions options) => new(
        offsets.Shape.Batch, options.Groups * options.Points, offsets.Shape.Height, offsets.Shape.Width);

    private static MapShape OutputShape(FeatureMap value, FeatureMap offsets) => new(
        value.Shape.Batch, value.Shape.Channels, offsets.Shape.Height, offsets.Shape.Width);

    private static FeatureMap<T> Like<T>(FeatureMap<T> tensor)
        where T : unmanaged => FeatureMap<T>.Create(tensor.Device, tensor.Shape, tensor.Format);

    private static void Check(DeformableAttentionOptions options, Operand features, Operand map, Operand offsets)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Groups < 1 || options.Points < 1)
        {
            throw new ArgumentException(
                $"Groups and points are at least 1; got {options.Groups} and {options.Points}.", nameof(options));
        }
        if (features.Name is not null)
            ArgumentNullException.ThrowIfNull(features.Map, features.Name);
        ArgumentNullException.ThrowIfNull(map.Map, map.Name);
        ArgumentNullException.ThrowIfNull(offsets.Map, offsets.Name);
        OperandChecks.SameDevice(features, map, offsets);
        SupportChecks.Require(map.Map, features, map, offsets);
        var (low, high) = (map.Map.Shape, offsets.Map.Shape);
        long channels = (long)options.Groups * options.Points * 2;
        if (high.Channels != channels || high.Batch != low.Batch)
        {
            throw new ArgumentException(
                $"'offsets' must be [{low.Batch}, {channels}, OH, OW], groups x points x 2 channels. " +
                OperandChecks.Describe(features, map, offsets),
                offsets.Name);
        }
        if (low.Channels % options.Groups != 0)
        {
            throw new ArgumentException(
                $"The channels of '{map.Name}' must be a multiple of the {options.Groups} groups. " +
                OperandChecks.Describe(features, map, offsets),
                map.Name);
        }
        if (features.Map is not null)
        {
            var expected = new MapShape(low.Batch, low.Channels, high.Height, high.Width);
            OperandChecks.Shape(features.Name!, features.Map, expected, features, map, offsets);
        }
        if (4L * high.Height * high.Width * options.Points > int.MaxValue)
        {
            throw new NotSupportedException(
                "An image has more than 2^29 samples; work on smaller maps. " +
                OperandChecks.Describe(features, map, offsets));
        }
    }
}
