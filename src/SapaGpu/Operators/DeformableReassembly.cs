using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// The last step of <see cref="DeformableAttention"/>: output = Σₚ weights[g, p] · value of group g at point p.
/// </summary>
/// <remarks>
/// Shapes: weights [B, G·P, OH, OW], value [B, G·C, H, W], offsets [B, G·P·2, OH, OW], output [B, G·C, OH, OW], each in
/// either <see cref="MemoryFormat"/>. <see cref="DeformableAttention"/> defines the points and the border rule.
/// </remarks>
public static class DeformableReassembly
{
    /// <summary>Computes the output.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="weights">Weights, [B, G·P, OH, OW].</param>
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
        FeatureMap<T> weights, FeatureMap<T> value, FeatureMap<T> offsets, DeformableAttentionOptions options)
        where T : unmanaged
    {
        Check(weights, value, offsets, options);
        var output = FeatureMap<T>.Create(value.Device, DeformableShapes.Output(value, offsets), value.Format);
        Run(weights, value, offsets, output, options);
        return output;
    }

    /// <summary>Computes the output into an existing map.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, DeformableAttentionOptions)" path="/typeparam|/exception"/>
    /// <param name="weights">Weights, [B, G·P, OH, OW].</param>
    /// <param name="value">Value, [B, G·C, H, W].</param>
    /// <param name="offsets">Offsets, [B, G·P·2, OH, OW].</param>
    /// <param name="output">Where the output is written, [B, G·C, OH, OW], in either format.</param>
    /// <param name="options">Groups and points.</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, or <paramref name="output"/> shares memory with an operand.
    /// </exception>
    public static void Forward<T>(
        FeatureMap<T> weights,
        FeatureMap<T> value,
        FeatureMap<T> offsets,
        FeatureMap<T> output,
        DeformableAttentionOptions options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(output);
        Check(weights, value, offsets, options);
        Operand w = new(nameof(weights), weights), v = new(nameof(value), value), o = new(nameof(offsets), offsets);
        Operand r = new(nameof(output), output);
        OperandChecks.SameDevice(w, v, o, r);
        OperandChecks.Shape(nameof(output), output, DeformableShapes.Output(value, offsets), w, v, o, r);
        OperandChecks.NoOverlap(nameof(output), output, w, v, o);
        Run(weights, value, offsets, output, options);
    }

    /// <summary>Computes the gradients of weights, value and offsets from the gradient of the output.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="weights">Weights of the forward, [B, G·P, OH, OW].</param>
    /// <param name="value">Value of the forward, [B, G·C, H, W].</param>
    /// <param name="offsets">Offsets of the forward, [B, G·P·2, OH, OW].</param>
    /// <param name="gradOutput">The gradient of the output, [B, G·C, OH, OW].</param>
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
    public static DeformableReassemblyGradients<T> Backward<T>(
        FeatureMap<T> weights,
        FeatureMap<T> value,
        FeatureMap<T> offsets,
        FeatureMap<T> gradOutput,
        DeformableAttentionOptions options,
        Gradients wanted = Gradients.All)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradOutput);
        Check(weights, value, offsets, options);
        Operand w = new(nameof(weights), weights), v = new(nameof(value), value), o = new(nameof(offsets), offsets);
        Operand g = new(nameof(gradOutput), gradOutput);
        OperandChecks.SameDevice(w, v, o, g);
        OperandChecks.Shape(nameof(gradOutput), gradOutput, DeformableShapes.Output(value, offsets), w, v, o, g);
        using var call = Operands.Hold(weights, value, offsets, gradOutput);
        var gradients = new DeformableReassemblyGradients<T>(
            wanted.Includes(Gradients.Weights) ? FeatureMap<T>.CreateLike(weights) : null,
            wanted.Includes(Gradients.Value) ? FeatureMap<T>.CreateLike(value) : null,
            wanted.Includes(Gradients.Offsets) ? FeatureMap<T>.CreateLike(offsets) : null);
        var kernels = DeformableKernels.For(value);
        var (groups, points) = (options.Groups, options.Points);
        switch (gradients)
        {
            case { Weights: { } gradWeights, Offsets: { } gradOffsets }:
                kernels.ScoresAndOffsetGradient(
                    groups, points, weights, gradOutput, value, offsets, gradWeights, gradOffsets);
                break;
            case { Weights: { } gradWeights }:
                kernels.Scores(groups, points, gradOutput, value, offsets, gradWeights);
                break;
            case { Offsets: { } gradOffsets }:
                kernels.OffsetGradient(
                    groups, points, weights, gradOutput, value, offsets, gradOffsets, accumulate: false);
                break;
        }
        if (gradients.Value is { } gradValue)
            kernels.MapGradients(groups, points, offsets, new DeformableGradient(weights, gradOutput, gradValue));
        return gradients;
    }

    /// <summary>Describes the kernel that the forward runs for these operands.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, DeformableAttentionOptions)"/>
    /// <returns>The kind of kernel and the choices that are compiled into it, as text.</returns>
    public static string Describe<T>(
        FeatureMap<T> weights, FeatureMap<T> value, FeatureMap<T> offsets, DeformableAttentionOptions options)
        where T : unmanaged
    {
        Check(weights, value, offsets, options);
        return KernelVariant.Fitting(
            value.Device, value.Shape.Channels / options.Groups, value.ElementType.Accumulator().Size()).DescribeAccess();
    }

    private static void Check<T>(
        FeatureMap<T> weights, FeatureMap<T> value, FeatureMap<T> offsets, DeformableAttentionOptions options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(weights);
        Operand w = new(nameof(weights), weights), v = new(nameof(value), value), o = new(nameof(offsets), offsets);
        DeformableShapes.Check(options, default, v, o);
        OperandChecks.SameDevice(w, v, o);
        OperandChecks.Shape(nameof(weights), weights, DeformableShapes.Weights(offsets, options), w, v, o);
    }

    private static void Run<T>(
        FeatureMap<T> weights,
        FeatureMap<T> value,
        FeatureMap<T> offsets,
        FeatureMap<T> output,
        DeformableAttentionOptions options)
        where T : unmanaged
    {
        using var call = Operands.Hold(weights, value, offsets, output);
        DeformableKernels.For(value).Reassembly(
            options.Groups, options.Points, weights, value, offsets, output);
    }
}
