using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// LayerNorm over the channels of every pixel, or GroupNorm over groups of channels of the whole image:
/// output = (input − mean) / √(variance + epsilon) · weight + bias, with the biased variance, and a weight and a bias
/// for every channel.
/// </summary>
/// <remarks>
/// <para>Shapes: input and output [B, C, H, W], each in either <see cref="MemoryFormat"/>; weight and bias
/// [1, C, 1, 1]; statistics of <see cref="StatisticsShape"/>. Weight, bias and statistics are double for maps of
/// double, otherwise float.</para>
/// <para>Sources: Ba et al., <i>Layer Normalization</i>, arXiv 1607.06450; Wu and He, <i>Group Normalization</i>, ECCV
/// 2018.</para>
/// </remarks>
public static class FeatureNorm
{
    /// <summary>
    /// Returns the shape of the statistics, [B, 2, H, W] for LayerNorm and [B, 2·groups, 1, 1] for GroupNorm: means in
    /// the even channels, reciprocal standard deviations in the odd ones.
    /// </summary>
    /// <param name="input">The shape of the input, [B, C, H, W].</param>
    /// <param name="groups">The number of groups of GroupNorm; 0 for LayerNorm.</param>
    /// <returns>The shape of the statistics.</returns>
    public static MapShape StatisticsShape(MapShape input, int groups) => groups == 0
        ? new MapShape(input.Batch, 2, input.Height, input.Width)
        : new MapShape(input.Batch, 2 * groups, 1, 1);

    /// <summary>Normalises a map into an existing map.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="input">The input, [B, C, H, W].</param>
    /// <param name="groups">The number of groups of GroupNorm, a divisor of C; 0 for LayerNorm.</param>
    /// <param name="weight">The weight (γ), [1, C, 1, 1].</param>
    /// <param name="bias">The bias (β), [1, C, 1, 1].</param>
    /// <param name="epsilon">The number that is added to the variance.</param>
    /// <param name="output">Where the output is written, [B, C, H, W].</param>
    /// <param name="statistics">Where the statistics are written, of <see cref="StatisticsShape"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="groups"/> is negative.</exception>
    /// <exception cref="ArgumentException">
    /// The shapes or element types do not match, the channels are not a multiple of the groups, or
    /// <paramref name="output"/> or <paramref name="statistics"/> shares memory with another operand.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static void Forward<T>(
        FeatureMap<T> input, int groups, FeatureMap weight, FeatureMap bias, double epsilon, FeatureMap<T> output, FeatureMap statistics)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(bias);
        Operand b = new(nameof(bias), bias), y = new(nameof(output), output);
        Check(input, groups, weight, output, nameof(output), statistics, b);
        Operand x = new(nameof(input), input), w = new(nameof(weight), weight), s = new(nameof(statistics), statistics);
        OperandChecks.NoOverlap(nameof(output), output, x, w, b, s);
        OperandChecks.NoOverlap(nameof(statistics), statistics, x, w, b, y);
        Run(input, groups, weight, bias, epsilon, output, statistics);
    }

    /// <summary>Normalises a map.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, int, FeatureMap, FeatureMap, double, FeatureMap{T}, FeatureMap)" path="/typeparam"/>
    /// <param name="input">The input, [B, C, H, W].</param>
    /// <param name="groups">The number of groups of GroupNorm, a divisor of C; 0 for LayerNorm.</param>
    /// <param name="weight">The weight (γ), [1, C, 1, 1].</param>
    /// <param name="bias">The bias (β), [1, C, 1, 1].</param>
    /// <param name="epsilon">The number that is added to the variance.</param>
    /// <returns>
    /// The output, [B, C, H, W], in the format of the input, and the statistics for the backward, of
    /// <see cref="StatisticsShape"/>.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="groups"/> is negative.</exception>
    /// <exception cref="ArgumentException">
    /// The shapes or element types do not match, or the channels are not a multiple of the groups.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static (FeatureMap<T> Output, FeatureMap Statistics) Forward<T>(
        FeatureMap<T> input, int groups, FeatureMap weight, FeatureMap bias, double epsilon)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentOutOfRangeException.ThrowIfNegative(groups);
        var output = FeatureMap<T>.CreateLike(input);
        var statistics = FeatureMap.Create(
            input.Device,
            StatisticsShape(input.Shape, groups),
            MemoryFormat.Contiguous,
            input.ElementType.Accumulator());
        Forward(input, groups, weight, bias, epsilon, output, statistics);
        return (output, statistics);
    }

    /// <summary>Computes the gradients of input, weight and bias from the gradient of the output.</summary>
    /// <inheritdoc cref="Backward{T}(FeatureMap{T}, int, FeatureMap, FeatureMap, FeatureMap{T}, FeatureMap{T}, FeatureMap, FeatureMap)" path="/typeparam"/>
    /// <param name="input">The input of the forward, [B, C, H, W].</param>
    /// <param name="groups">The number of groups of the forward; 0 for LayerNorm.</param>
    /// <param name="weight">The weight of the forward, [1, C, 1, 1].</param>
    /// <param name="statistics">The statistics of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, C, H, W].</param>
    /// <returns>All three gradients; that of the input is in its format.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="groups"/> is negative.</exception>
    /// <exception cref="ArgumentException">
    /// The shapes or element types do not match, or the channels are not a multiple of the groups.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static FeatureNormGradients<T> Backward<T>(
        FeatureMap<T> input, int groups, FeatureMap weight, FeatureMap statistics, FeatureMap<T> gradOutput)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(weight);
        var gradInput = FeatureMap<T>.CreateLike(input);
        var gradWeight = FeatureMap.Create(weight.Device, weight.Shape, weight.Format, weight.ElementType);
        var gradBias = FeatureMap.Create(weight.Device, weight.Shape, weight.Format, weight.ElementType);
        Backward(input, groups, weight, statistics, gradOutput, gradInput, gradWeight, gradBias);
        return new FeatureNormGradients<T>(gradInput, gradWeight, gradBias);
    }

    /// <summary>Describes the kernel that the forward runs for this input.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="input">The input, [B, C, H, W].</param>
    /// <param name="groups">The number of groups of GroupNorm; 0 for LayerNorm.</param>
    /// <returns>The kind of kernel and the choices that are compiled into it, as text.</returns>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    public static string Describe<T>(FeatureMap<T> input, int groups)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(input);
        SupportChecks.Require(input, new Operand(nameof(input), input));
        return $"{KernelVariant.Choose(input.Device).DescribeAccess()}, {(groups == 0 ? "LayerNorm" : "GroupNorm")}";
    }

    /// <summary>
    /// Computes the gradients of input, weight and bias from the gradient of the output, into existing maps.
    /// </summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="input">The input of the forward, [B, C, H, W].</param>
    /// <param name="groups">The number of groups of the forward; 0 for LayerNorm.</param>
    /// <param name="weight">The weight of the forward, [1, C, 1, 1].</param>
    /// <param name="statistics">The statistics of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, C, H, W].</param>
    /// <param name="gradInput">Where the gradient of the input is written, [B, C, H, W].</param>
    /// <param name="gradWeight">Where the gradient of the weight is written, [1, C, 1, 1].</param>
    /// <param name="gradBias">Where the gradient of the bias is written, [1, C, 1, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="groups"/> is negative.</exception>
    /// <exception cref="ArgumentException">
    /// The shapes or element types do not match, the channels are not a multiple of the groups, or a gradient that is
    /// written shares memory with another or with an operand.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static void Backward<T>(
        FeatureMap<T> input,
        int groups,
        FeatureMap weight,
        FeatureMap statistics,
        FeatureMap<T> gradOutput,
        FeatureMap<T> gradInput,
        FeatureMap gradWeight,
        FeatureMap gradBias)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradInput);
        ArgumentNullException.ThrowIfNull(gradWeight);
        ArgumentNullException.ThrowIfNull(gradBias);
        Operand gw = new(nameof(gradWeight), gradWeight), gb = new(nameof(gradBias), gradBias);
        Check(input, groups, weight, gradOutput, nameof(gradOutput), statistics, gw, gb);
        Operand x = new(nameof(input), input), g = new(nameof(gradOutput), gradOutput);
        Operand gx = new(nameof(gradInput), gradInput);
        OperandChecks.SameDevice(x, g, gx);
        OperandChecks.Shape(nameof(gradInput), gradInput, input.Shape, x, g, gx);
        Operand w = new(nameof(weight), weight), s = new(nameof(statistics), statistics);
        foreach (var (name, gradient) in (ReadOnlySpan<Operand>)[gx, gw, gb])
            OperandChecks.NoOverlap(name, gradient, x, w, s, g, gx, gw, gb);
        RunBackward(input, groups, weight, statistics, gradOutput, gradInput, gradWeight, gradBias, accumulate: false);
    }

    /// <summary>Normalises maps whose shapes are known to fit.</summary>
    internal static void Run(
        FeatureMap input,
        int groups,
        FeatureMap weight,
        FeatureMap bias,
        double epsilon,
        FeatureMap output,
        FeatureMap statistics)
    {
        using var call = Operands.Hold(input, weight, bias, output, statistics);
        var kernels = FeatureNormKernels.For(input);
        if (groups == 0)
        {
            kernels.LayerForward(weight, bias, epsilon, input, output, statistics);
            return;
        }
        kernels.GroupStatistics(groups, epsilon, input, statistics);
        kernels.GroupNormalise(groups, weight, bias, input, statistics, output);
    }

    /// <summary>Computes the statistics of GroupNorm for a map whose shape is known to fit.</summary>
    internal static void Measure(FeatureMap input, int groups, double epsilon, FeatureMap statistics)
    {
        using var call = Operands.Hold(input, statistics);
        FeatureNormKernels.For(input).GroupStatistics(groups, epsilon, input, statistics);
    }

    /// <summary>Normalises a map whose shape is known to fit with the statistics of GroupNorm.</summary>
    internal static void Normalise(
        FeatureMap input, int groups, FeatureMap weight, FeatureMap bias, FeatureMap statistics, FeatureMap output)
    {
        using var call = Operands.Hold(input, weight, bias, statistics, output);
        FeatureNormKernels.For(input).GroupNormalise(groups, weight, bias, input, statistics, output);
    }

    /// <summary>
    /// Computes the gradients of maps whose shapes are known to fit; that of the input is overwritten or added to.
    /// </summary>
    internal static void RunBackward(
        FeatureMap input,
        int groups,
        FeatureMap weight,
        FeatureMap statistics,
        FeatureMap gradOutput,
        FeatureMap gradInput,
        FeatureMap gradWeight,
        FeatureMap gradBias,
        bool accumulate)
    {
        using var call = Operands.Hold(
            input, weight, statistics, gradOutput, gradInput, gradWeight, gradBias);
        FeatureNormKernels.For(input).Backward(
            groups, weight, input, gradOutput, statistics, gradWeight, gradBias, gradInput, accumulate);
    }

    private static void Check<T>(
        FeatureMap<T> input,
        int groups,
        FeatureMap weight,
        FeatureMap<T> other,
        string otherName,
        FeatureMap statistics,
        params ReadOnlySpan<Operand> vectors)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(other, otherName);
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentOutOfRangeException.ThrowIfNegative(groups);
        if (groups > 0)
            GroupNorms.Check(groups, input.Shape.Channels);
        Operand x = new(nameof(input), input), y = new(otherName, other), w = new(nameof(weight), weight);
        Operand s = new(nameof(statistics), statistics);
        OperandChecks.SameDevice([x, y, w, s, .. vectors]);
        SupportChecks.Require(input, x, y);
        OperandChecks.Accumulator<T>([w, s, .. vectors]);
        OperandChecks.Shape(otherName, other, input.Shape, x, y);
        OperandChecks.Shape(nameof(statistics), statistics, StatisticsShape(input.Shape, groups), x, s);
        foreach (var vector in (ReadOnlySpan<Operand>)[w, .. vectors])
            OperandChecks.Shape(vector.Name, vector.Map!, new MapShape(1, input.Shape.Channels, 1, 1), x, vector);
    }
}
