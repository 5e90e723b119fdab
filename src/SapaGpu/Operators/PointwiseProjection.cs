using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// A linear projection of the channels of every pixel, that is a 1×1 convolution, optionally fused with a LayerNorm
/// over the input channels: output = W·input + bias, or output = W·LayerNorm(input) + bias.
/// </summary>
/// <remarks>
/// Shapes: input [B, I, H, W], output [B, O, H, W], each in either <see cref="MemoryFormat"/>. Parameters are double
/// for maps of double, otherwise float. LayerNorm saves statistics of that type for the backward, [B, 2, H, W]: mean
/// and reciprocal standard deviation of every pixel. The gradients of the parameters are sums in a fixed order without
/// atomics, so they are bitwise reproducible.
/// </remarks>
public static class PointwiseProjection
{
    /// <summary>Projects a map into an existing map.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="input">The input, [B, I, H, W].</param>
    /// <param name="parameters">Matrix, and optionally bias and LayerNorm.</param>
    /// <param name="output">Where the output is written, [B, O, H, W].</param>
    /// <param name="statistics">
    /// Where the statistics of the LayerNorm are written, [B, 2, H, W]; null if there is none.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The shapes or element types do not match, or <paramref name="output"/> shares memory with input or statistics.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static void Forward<T>(
        FeatureMap<T> input, ProjectionWeights parameters, FeatureMap<T> output, FeatureMap? statistics = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        Operand x = new(nameof(input), input), y = new(nameof(output), output), s = new(nameof(statistics), statistics);
        Check<T>(x, y, s, in parameters);
        OperandChecks.NoOverlap(nameof(output), output, x, s);
        Run(in parameters, input, output, statistics);
    }

    /// <summary>Projects a map.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, ProjectionWeights, FeatureMap{T}, FeatureMap?)" path="/typeparam"/>
    /// <param name="input">The input, [B, I, H, W].</param>
    /// <param name="parameters">Matrix, and optionally bias and LayerNorm.</param>
    /// <returns>
    /// The output, [B, O, H, W], in the format of the input, and the statistics for the backward, [B, 2, H, W], null
    /// without LayerNorm.
    /// </returns>
    /// <exception cref="ArgumentException">The shapes or element types do not match.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static (FeatureMap<T> Output, FeatureMap? Statistics) Forward<T>(
        FeatureMap<T> input, ProjectionWeights parameters)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(parameters.Weight, nameof(parameters));
        var shape = input.Shape;
        var output = FeatureMap<T>.Create(
            input.Device,
            new MapShape(shape.Batch, parameters.Weight.Shape.Batch, shape.Height, shape.Width),
            input.Format);
        var statistics = parameters.NormWeight is null
            ? null
            : FeatureMap.Create(
                input.Device,
                new MapShape(shape.Batch, 2, shape.Height, shape.Width),
                MemoryFormat.Contiguous,
                input.ElementType.Accumulator());
        Forward(input, parameters, output, statistics);
        return (output, statistics);
    }

    /// <summary>Computes the gradients of the input and the parameters from the gradient of the output.</summary>
    /// <inheritdoc cref="Backward{T}(FeatureMap{T}, ProjectionWeights, FeatureMap?, FeatureMap{T}, FeatureMap{T}?, ProjectionWeights?)" path="/typeparam"/>
    /// <param name="input">The input of the forward, [B, I, H, W].</param>
    /// <param name="parameters">The parameters of the forward.</param>
    /// <param name="statistics">The statistics of the forward, [B, 2, H, W]; null without LayerNorm.</param>
    /// <param name="gradOutput">The gradient of the output, [B, O, H, W].</param>
    /// <param name="wanted">Which gradients to compute.</param>
    /// <returns>The gradients; that of the input is in its format.</returns>
    /// <exception cref="ArgumentException">The shapes or element types do not match.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wanted"/> has undefined flags.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static PointwiseProjectionGradients<T> Backward<T>(
        FeatureMap<T> input,
        ProjectionWeights parameters,
        FeatureMap? statistics,
        FeatureMap<T> gradOutput,
        Gradients wanted = Gradients.All)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(parameters.Weight, nameof(parameters));
        var gradInput = wanted.Includes(Gradients.Input) ? FeatureMap<T>.CreateLike(input) : null;
        ProjectionWeights? gradParameters = wanted.Includes(Gradients.Parameters)
            ? new ProjectionWeights(
                Like(parameters.Weight)!, Like(parameters.Bias), Like(parameters.NormWeight), Like(parameters.NormBias))
            : null;
        Backward(input, parameters, statistics, gradOutput, gradInput, gradParameters);
        return new PointwiseProjectionGradients<T>(gradInput, gradParameters);

        static FeatureMap? Like(FeatureMap? parameter) => parameter is null
            ? null
            : FeatureMap.Create(parameter.Device, parameter.Shape, parameter.Format, parameter.ElementType);
    }

    /// <summary>Describes the kernel that the forward runs for this input.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="input">The input, [B, I, H, W].</param>
    /// <param name="parameters">Matrix, and optionally bias and LayerNorm.</param>
    /// <returns>The kind of kernel and the choices that are compiled into it, as text.</returns>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    public static string Describe<T>(FeatureMap<T> input, ProjectionWeights parameters)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(input);
        SupportChecks.Require(input, new Operand(nameof(input), input));
        bool vectors = Pack4Layout.Fits(input);
        return $"{KernelVariant.Choose(input.Device, vectors, vectors).DescribeAccess()}, " +
            (parameters.NormWeight is null ? "no normalisation" : "LayerNorm");
    }

    /// <summary>
    /// Computes the gradients of the input and the parameters from the gradient of the output, into existing maps.
    /// </summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="input">The input of the forward, [B, I, H, W].</param>
    /// <param name="parameters">The parameters of the forward.</param>
    /// <param name="statistics">The statistics of the forward, [B, 2, H, W]; null without LayerNorm.</param>
    /// <param name="gradOutput">The gradient of the output, [B, O, H, W].</param>
    /// <param name="gradInput">Where to write the gradient of the input, [B, I, H, W]; null to leave it out.</param>
    /// <param name="gradParameters">
    /// Where to write the gradients of the parameters: a map for every parameter of the forward, of the same shape and
    /// memory layout; null to leave all of them out.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The shapes, element types or layouts do not match, <paramref name="gradInput"/> shares memory with input, output
    /// gradient or statistics, or the gradient of a parameter shares memory with that parameter.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static void Backward<T>(
        FeatureMap<T> input,
        ProjectionWeights parameters,
        FeatureMap? statistics,
        FeatureMap<T> gradOutput,
        FeatureMap<T>? gradInput,
        ProjectionWeights? gradParameters)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(gradOutput);
        Operand x = new(nameof(input), input), g = new(nameof(gradOutput), gradOutput);
        Operand s = new(nameof(statistics), statistics), gx = new(nameof(gradInput), gradInput);
        Check<T>(x, g, s, in parameters);
        OperandChecks.SameDevice(x, g, s, gx);
        if (gradInput is not null)
        {
            OperandChecks.Shape(nameof(gradInput), gradInput, input.Shape, x, g, gx);
            OperandChecks.NoOverlap(nameof(gradInput), gradInput, x, g, s);
        }
        if (gradParameters is { } gradients)
            CheckGradients<T>(in parameters, in gradients);
        RunBackward(in parameters, input, gradOutput, statistics, gradInput, in gradParameters);
    }

    /// <summary>Projects a map whose shapes are known to fit; the output is overwritten or added to.</summary>
    internal static void Run(
        in ProjectionWeights weights, FeatureMap input, FeatureMap output, FeatureMap? statistics, bool accumulate =
            false)
    {
        using var call = Operands.Hold(
            input, output, statistics, weights.Weight, weights.Bias, weights.NormWeight, weights.NormBias);
        ProjectionKernels.For(input).Forward(in weights, input, output, statistics, accumulate);
    }

    /// <summary>
    /// Computes the gradients of a projection whose shapes are known to fit; that of the input is overwritten or added
    /// to.
    /// </summary>
    internal static void RunBackward(
        in ProjectionWeights weights,
        FeatureMap input,
        FeatureMap gradOutput,
        FeatureMap? statistics,
        FeatureMap? gradInput,
        in ProjectionWeights? gradients,
        bool accumulate = false)
    {
        using var call = Operands.Hold(
            input,
            gradOutput,
            statistics,
            gradInput,
            weights.Weight,
            weights.Bias,
            weights.NormWeight,
            weights.NormBias,
            gradients?.Weight,
            gradients?.Bias,
            gradients?.NormWeight,
            gradients?.NormBias);
        ProjectionKernels.For(input).Backward(
            in weights, input, gradOutput, statistics, gradInput, in gradients, accumulate);
    }

    private static void Check<T>(Operand input, Operand output, Operand statistics, in ProjectionWeights parameters)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(parameters.Weight, nameof(parameters));
        Operand w = new("weight", parameters.Weight), b = new("bias", parameters.Bias);
        Operand nw = new("norm weight", parameters.NormWeight), nb = new("norm bias", parameters.NormBias);
        OperandChecks.SameDevice(input, output, statistics, w, b, nw, nb);
        SupportChecks.Require(input.Map!, input, output);
        OperandChecks.Accumulator<T>(statistics, w, b, nw, nb);
        var shape = input.Map!.Shape;
        var (outputs, inputs) = (w.Map!.Shape.Batch, shape.Channels);
        OperandChecks.Shape(w.Name, w.Map, new MapShape(outputs, inputs, 1, 1), input, output, w);
        OperandChecks.Shape(
            output.Name, output.Map!, new MapShape(shape.Batch, outputs, shape.Height, shape.Width), input, output, w);
        if (b.Map is not null)
            OperandChecks.Shape(b.Name, b.Map, new MapShape(1, outputs, 1, 1), input, w, b);
        bool hasNorm = nw.Map is not null;
        if (hasNorm != (nb.Map is not null) || hasNorm != (statistics.Map is not null))
        {
            throw new ArgumentException(
                "LayerNorm needs NormWeight, NormBias and statistics; give all three, or none for no LayerNorm. " +
                OperandChecks.Describe(input, output, statistics, nw, nb),
                nameof(parameters));
        }
        if (!hasNorm)
            return;
        OperandChecks.Shape(nw.Name, nw.Map!, new MapShape(1, inputs, 1, 1), input, nw, nb);
        OperandChecks.Shape(nb.Name, nb.Map!, new MapShape(1, inputs, 1, 1), input, nw, nb);
        OperandChecks.Shape(
            statistics.Name,
            statistics.Map!,
            new MapShape(shape.Batch, 2, shape.Height, shape.Width),
            input,
            statistics);
    }

    private static void CheckGradients<T>(in ProjectionWeights parameters, in ProjectionWeights gradients)
        where T : unmanaged
    {
        CheckGradient("weight", parameters.Weight, gradients.Weight);
        CheckGradient("bias", parameters.Bias, gradients.Bias);
        CheckGradient("norm weight", parameters.NormWeight, gradients.NormWeight);
        CheckGradient("norm bias", parameters.NormBias, gradients.NormBias);

        static void CheckGradient(string name, FeatureMap? parameter, FeatureMap? gradient)
        {
            if (parameter is null && gradient is null)
                return;
            Operand own = new(name, parameter), its = new($"gradient of {name}", gradient);
            if (parameter is null || gradient is null)
            {
                throw new ArgumentException(
                    $"The gradients must have a map for every parameter of the forward and no other; check '{name}'. " +
                    OperandChecks.Describe(own, its));
            }
            OperandChecks.SameDevice(own, its);
            OperandChecks.Shape(its.Name, gradient, parameter.Shape, own, its);
            OperandChecks.Accumulator<T>(own, its);
            OperandChecks.NoOverlap(its.Name, gradient, own);
            if (gradient.Layout with { Offset = 0 } != parameter.Layout with { Offset = 0 })
            {
                throw new ArgumentException(
                    $"The gradient of '{name}' must have the memory layout of the parameter. " +
                    OperandChecks.Describe(own, its));
            }
        }
    }
}
