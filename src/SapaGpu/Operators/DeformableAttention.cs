using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// Deformable attention: each query attends to P points per group of channels, at its own offsets. It is the
/// operator of SAPA-D (<i>On Point Affiliation in Feature Upsampling</i>, arXiv 2307.08198, section 4);
/// <see cref="DeformableSimilarity"/> and <see cref="DeformableReassembly"/> are its two halves.
/// </summary>
/// <remarks>
/// <para>Point p of group g of query (y, x) lies at row ⌊y·H/OH⌋ + offset[(g·P + p)·2 + 1] and column ⌊x·W/OW⌋ +
/// offset[(g·P + p)·2], in cells. The maps are interpolated bilinearly there, with 0 for cells outside the map; a point
/// contributes only if −1 &lt; row &lt; H and −1 &lt; column &lt; W.</para>
/// <code>
/// score[g, p] = ⟨query of group g, key of group g at point p⟩
/// weight      = softmax over the P points (points that do not contribute have score 0)
/// output      = Σₚ weight[g, p] · value of group g at point p
/// </code>
/// <para>Shapes: query [B, G·D, OH, OW], key [B, G·D, H, W], value [B, G·C, H, W], offsets [B, G·P·2, OH, OW], scores
/// and weights [B, G·P, OH, OW], output [B, G·C, OH, OW], each in either <see cref="MemoryFormat"/>. At integer
/// coordinates, where the interpolation has a kink, the gradient of an offset is the one-sided derivative towards
/// larger coordinates.</para>
/// <para>Memory: on a GPU the operator runs in steps and keeps maps of G·P values for each query between them, scores
/// and weights in the forward, and their gradients as well in the backward. On the CPU the forward keeps none of them,
/// and the backward keeps weights and gradients of the scores unless it runs group by group.</para>
/// <para>The gradients of key and value are sums over the points that touch a cell, added in a fixed order without
/// atomics, so they are bitwise reproducible. On a GPU a stable counting sort finds the points of each cell, one image
/// at a time, with 8 bytes (12 in double precision) for each of the four cells of a point; on the CPU each thread sums
/// its own channels of the whole map.</para>
/// </remarks>
public static class DeformableAttention
{
    /// <summary>Computes scores, softmax and reassembly in one call.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="query">Query, [B, G·D, OH, OW].</param>
    /// <param name="key">Key, [B, G·D, H, W].</param>
    /// <param name="value">Value, [B, G·C, H, W].</param>
    /// <param name="offsets">Offsets, [B, G·P·2, OH, OW].</param>
    /// <param name="options">Groups and points.</param>
    /// <returns>The output, [B, G·C, OH, OW], in the format of the value.</returns>
    /// <exception cref="ArgumentException">The shapes do not match, or do not fit the options.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">
    /// The device does not support the element type, or OH·OW·P is 2²⁹ or more.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static FeatureMap<T> Forward<T>(
        FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> value, FeatureMap<T> offsets, DeformableAttentionOptions options)
        where T : unmanaged
    {
        CheckOperands(query, key, value, offsets, options);
        var output = FeatureMap<T>.Create(value.Device, DeformableShapes.Output(value, offsets), value.Format);
        Attend(query, key, value, offsets, output, options);
        return output;
    }

    /// <summary>Computes scores, softmax and reassembly in one call, into an existing map.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, DeformableAttentionOptions)" path="/typeparam|/exception"/>
    /// <param name="query">Query, [B, G·D, OH, OW].</param>
    /// <param name="key">Key, [B, G·D, H, W].</param>
    /// <param name="value">Value, [B, G·C, H, W].</param>
    /// <param name="offsets">Offsets, [B, G·P·2, OH, OW].</param>
    /// <param name="output">Where the output is written, [B, G·C, OH, OW], in either format.</param>
    /// <param name="options">Groups and points.</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, or <paramref name="output"/> shares memory with an operand.
    /// </exception>
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
        OperandChecks.Shape(nameof(output), output, DeformableShapes.Output(value, offsets), q, k, v, o, result);
        OperandChecks.NoOverlap(nameof(output), output, q, k, v, o);
        Attend(query, key, value, offsets, output, options);
    }

    /// <summary>Computes the gradients from the gradient of the output; scores and weights are recomputed.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, DeformableAttentionOptions)"
    /// path="/*[not(self::summary or self::param or self::returns)]"/>
    /// <param name="query">Query of the forward, [B, G·D, OH, OW].</param>
    /// <param name="key">Key of the forward, [B, G·D, H, W].</param>
    /// <param name="value">Value of the forward, [B, G·C, H, W].</param>
    /// <param name="offsets">Offsets of the forward, [B, G·P·2, OH, OW].</param>
    /// <param name="gradOutput">The gradient of the output, [B, G·C, OH, OW].</param>
    /// <param name="options">Groups and points.</param>
    /// <param name="wanted">Which gradients to compute.</param>
    /// <returns>The gradients, each in the format of its operand.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wanted"/> has undefined flags.</exception>
    public static DeformableAttentionGradients<T> Backward<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        FeatureMap<T> offsets,
        FeatureMap<T> gradOutput,
        DeformableAttentionOptions options,
        Gradients wanted = Gradients.All)
        where T : unmanaged
    {
        CheckOperands(query, key, value, offsets, options);
        var gradients = new DeformableAttentionGradients<T>(
            wanted.Includes(Gradients.Query) ? FeatureMap<T>.CreateLike(query) : null,
            wanted.Includes(Gradients.Key) ? FeatureMap<T>.CreateLike(key) : null,
            wanted.Includes(Gradients.Value) ? FeatureMap<T>.CreateLike(value) : null,
            wanted.Includes(Gradients.Offsets) ? FeatureMap<T>.CreateLike(offsets) : null);
        Backward(
            query,
            key,
            value,
            offsets,
            gradOutput,
            gradients.Query,
            gradients.Key,
            gradients.Value,
            gradients.Offsets,
            options);
        return gradients;
    }

    /// <summary>
    /// Computes the gradients from the gradient of the output, into existing maps; scores and weights are recomputed.
    /// </summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, DeformableAttentionOptions)" path="/typeparam|/exception"/>
    /// <param name="query">Query of the forward, [B, G·D, OH, OW].</param>
    /// <param name="key">Key of the forward, [B, G·D, H, W].</param>
    /// <param name="value">Value of the forward, [B, G·C, H, W].</param>
    /// <param name="offsets">Offsets of the forward, [B, G·P·2, OH, OW].</param>
    /// <param name="gradOutput">The gradient of the output, [B, G·C, OH, OW].</param>
    /// <param name="gradQuery">Where to write the gradient of the query, in its shape; null to leave it out.</param>
    /// <param name="gradKey">Where to write the gradient of the key, in its shape; null to leave it out.</param>
    /// <param name="gradValue">Where to write the gradient of the value, in its shape; null to leave it out.</param>
    /// <param name="gradOffsets">
    /// Where to write the gradient of the offsets, in their shape; null to leave it out.
    /// </param>
    /// <param name="options">Groups and points.</param>
    /// <exception cref="ArgumentException">
    /// A shape is wrong, or a gradient to be written shares memory with another map.
    /// </exception>
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
        OperandChecks.Shape(nameof(gradOutput), gradOutput, DeformableShapes.Output(value, offsets), q, k, v, o, g);
        Operand gq = new(nameof(gradQuery), gradQuery), gk = new(nameof(gradKey), gradKey);
        Operand gv = new(nameof(gradValue), gradValue), go = new(nameof(gradOffsets), gradOffsets);
        CheckGradient(gq, query.Shape);
        CheckGradient(gk, key.Shape);
        CheckGradient(gv, value.Shape);
        CheckGradient(go, offsets.Shape);
        using var call = Operands.Hold(
            query, key, value, offsets, gradOutput, gradQuery, gradKey, gradValue, gradOffsets);
        DeformableAttentionKernels.For(value).Backward(
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

    /// <summary>Describes the kernel that the forward runs for these operands.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, DeformableAttentionOptions)"/>
    /// <returns>The kind of kernel and the choices that are compiled into it, as text.</returns>
    public static string Describe<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        FeatureMap<T> offsets,
        DeformableAttentionOptions options)
        where T : unmanaged
    {
        CheckOperands(query, key, value, offsets, options);
        int channels = Math.Min(key.Shape.Channels, value.Shape.Channels) / options.Groups;
        return KernelVariant.Fitting(
            query.Device, channels, query.ElementType.Accumulator().Size()).DescribeAccess();
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
        DeformableAttentionKernels.For(value).Forward(
            new DeformableAttentionOperands(query, key, value, offsets, options), output);
    }

    private static void CheckOperands<T>(
        FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> value, FeatureMap<T> offsets, DeformableAttentionOptions options)
        where T : unmanaged
    {
        Operand q = new(nameof(query), query), k = new(nameof(key), key), v = new(nameof(value), value);
        Operand o = new(nameof(offsets), offsets);
        DeformableShapes.Check(options, default, v, o);
        DeformableShapes.Check(options, q, k, o);
        OperandChecks.SameDevice(q, k, v, o);
        if (value.Shape.Height != key.Shape.Height || value.Shape.Width != key.Shape.Width)
        {
            throw new ArgumentException(
                $"'value' must have as many rows and columns as 'key'. {OperandChecks.Describe(q, k, v, o)}",
                nameof(value));
        }
    }
}
