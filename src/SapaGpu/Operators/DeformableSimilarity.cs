using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// The first step of <see cref="DeformableAttention"/>: score[g, p] = ⟨query of group g, key of group g at point p⟩.
/// </summary>
/// <remarks>
/// Shapes: query [B, G·D, OH, OW], key [B, G·D, H, W], offsets [B, G·P·2, OH, OW], scores [B, G·P, OH, OW], each in
/// either <see cref="MemoryFormat"/>. <see cref="DeformableAttention"/> defines the points and the border rule.
/// </remarks>
public static class DeformableSimilarity
{
    /// <summary>Computes the scores.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="query">Query, [B, G·D, OH, OW].</param>
    /// <param name="key">Key, [B, G·D, H, W].</param>
    /// <param name="offsets">Offsets, [B, G·P·2, OH, OW].</param>
    /// <param name="options">Groups and points.</param>
    /// <returns>The scores, [B, G·P, OH, OW], in the format of the query.</returns>
    /// <exception cref="ArgumentException">The shapes do not match, or do not fit the options.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">
    /// The device does not support the element type, or OH·OW·P is 2²⁹ or more.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static FeatureMap<T> Forward<T>(
        FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> offsets, DeformableAttentionOptions options)
        where T : unmanaged
    {
        Check(query, key, offsets, options);
        var scores = FeatureMap<T>.Create(query.Device, DeformableShapes.Weights(offsets, options), query.Format);
        Run(query, key, offsets, scores, options);
        return scores;
    }

    /// <summary>Computes the scores into an existing map.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, DeformableAttentionOptions)" path="/typeparam|/exception"/>
    /// <param name="query">Query, [B, G·D, OH, OW].</param>
    /// <param name="key">Key, [B, G·D, H, W].</param>
    /// <param name="offsets">Offsets, [B, G·P·2, OH, OW].</param>
    /// <param name="scores">Where the scores are written, [B, G·P, OH, OW], in either format.</param>
    /// <param name="options">Groups and points.</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, or <paramref name="scores"/> shares memory with an operand.
    /// </exception>
    public static void Forward<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> offsets,
        FeatureMap<T> scores,
        DeformableAttentionOptions options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(scores);
        Check(query, key, offsets, options);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), o = new(nameof(offsets), offsets);
        Operand s = new(nameof(scores), scores);
        OperandChecks.SameDevice(q, k, o, s);
        OperandChecks.Shape(nameof(scores), scores, DeformableShapes.Weights(offsets, options), q, k, o, s);
        OperandChecks.NoOverlap(nameof(scores), scores, q, k, o);
        Run(query, key, offsets, scores, options);
    }

    /// <summary>Computes the gradients of query, key and offsets from the gradient of the scores.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="query">Query of the forward, [B, G·D, OH, OW].</param>
    /// <param name="key">Key of the forward, [B, G·D, H, W].</param>
    /// <param name="offsets">Offsets of the forward, [B, G·P·2, OH, OW].</param>
    /// <param name="gradScores">The gradient of the scores, [B, G·P, OH, OW].</param>
    /// <param name="options">Groups and points.</param>
    /// <param name="wanted">Which gradients to compute.</param>
    /// <returns>The gradients, each in the format of its operand.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wanted"/> has undefined flags.</exception>
    /// <exception cref="ArgumentException">The shapes do not match, or do not fit the options.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">
    /// The device does not support the element type, or OH·OW·P is 2²⁹ or more.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static DeformableSimilarityGradients<T> Backward<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> offsets,
        FeatureMap<T> gradScores,
        DeformableAttentionOptions options,
        Gradients wanted = Gradients.All)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradScores);
        Check(query, key, offsets, options);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), o = new(nameof(offsets), offsets);
        Operand g = new(nameof(gradScores), gradScores);
        OperandChecks.SameDevice(q, k, o, g);
        OperandChecks.Shape(nameof(gradScores), gradScores, DeformableShapes.Weights(offsets, options), q, k, o, g);
        using var call = Operands.Hold(query, key, offsets, gradScores);
        var gradients = new DeformableSimilarityGradients<T>(
            wanted.Includes(Gradients.Query) ? FeatureMap<T>.CreateLike(query) : null,
            wanted.Includes(Gradients.Key) ? FeatureMap<T>.CreateLike(key) : null,
            wanted.Includes(Gradients.Offsets) ? FeatureMap<T>.CreateLike(offsets) : null);
        var kernels = DeformableKernels.For(query);
        var (groups, points) = (options.Groups, options.Points);
        if (gradients.Query is { } gradQuery)
            kernels.Reassembly(groups, points, gradScores, key, offsets, gradQuery);
        if (gradients.Offsets is { } gradOffsets)
            kernels.OffsetGradient(groups, points, gradScores, query, key, offsets, gradOffsets, accumulate: false);
        if (gradients.Key is { } gradKey)
            kernels.MapGradients(groups, points, offsets, new DeformableGradient(gradScores, query, gradKey));
        return gradients;
    }

    /// <summary>Describes the kernel that the forward runs for these operands.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, DeformableAttentionOptions)"/>
    /// <returns>The kind of kernel and the choices that are compiled into it, as text.</returns>
    public static string Describe<T>(
        FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> offsets, DeformableAttentionOptions options)
        where T : unmanaged
    {
        Check(query, key, offsets, options);
        return KernelVariant.Fitting(
            query.Device, key.Shape.Channels / options.Groups, query.ElementType.Accumulator().Size()).DescribeAccess();
    }

    private static void Check<T>(
        FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> offsets, DeformableAttentionOptions options)
        where T : unmanaged => DeformableShapes.Check(
            options, new(nameof(query), query), new(nameof(key), key), new(nameof(offsets), offsets));

    private static void Run<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> offsets,
        FeatureMap<T> scores,
        DeformableAttentionOptions options)
        where T : unmanaged
    {
        using var call = Operands.Hold(query, key, offsets, scores);
        DeformableKernels.For(query).Scores(options.Groups, options.Points, query, key, offsets, scores);
    }
}
