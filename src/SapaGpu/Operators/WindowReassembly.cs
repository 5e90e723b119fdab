using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// Reassembly, the last step of window attention: out(y, x) = Σⱼ weights[j](y, x) · value(cell + offset j) with
/// cell = (⌊y·H/OH⌋, ⌊x·W/OW⌋). The operator is linear in each operand, uses no atomics and is bitwise reproducible.
/// </summary>
/// <remarks>
/// <para>Shapes: weights [B, heads·K², OH, OW], one channel for every tap, row by row and head after head; value
/// [B, C, H, W]; output [B, C, OH, OW], or [B, heads·C, OH, OW] if the heads share the value.</para>
/// <para>A tap outside the map has value 0. With <see cref="BorderRule.Replicate"/> it has the value of the nearest
/// cell; with <see cref="BorderRule.Shifted"/> there is none, because the window is moved inside the map.</para>
/// <para>Source: SAPA (NeurIPS 2022), section 4; <c>atn</c> in the reference implementations. With several heads it is
/// the reassembly of CARAFE (Wang et al., ICCV 2019), whose groups correspond to the heads.</para>
/// </remarks>
public static class WindowReassembly
{
    /// <summary>Computes the output.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="weights">Weights, [B, heads·K², OH, OW].</param>
    /// <param name="value">Value, [B, C, H, W].</param>
    /// <param name="options">
    /// Window, border and heads; null for one head and the window that follows from the channels of the weights.
    /// </param>
    /// <returns>
    /// The output, [B, C, OH, OW], or [B, heads·C, OH, OW] if the heads share the value, in the format of the value.
    /// </returns>
    /// <exception cref="ArgumentException">The shapes do not match, or do not fit the heads.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">
    /// The window, the ratio of the sizes or the element type is not supported; the message lists every reason.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static FeatureMap<T> Forward<T>(
        FeatureMap<T> weights, FeatureMap<T> value, WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        var window = Check(weights, value, options);
        var output = FeatureMap<T>.Create(value.Device, window.OutputShape, value.Format);
        Run(in window, weights, value, output);
        return output;
    }

    /// <summary>Computes the output into an existing map.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, WindowAttentionOptions?)" path="/typeparam|/exception"/>
    /// <param name="weights">Weights, [B, heads·K², OH, OW].</param>
    /// <param name="value">Value, [B, C, H, W].</param>
    /// <param name="output">
    /// Where the output is written, [B, C, OH, OW], or [B, heads·C, OH, OW] if the heads share the value, in either
    /// format.
    /// </param>
    /// <param name="options">
    /// Window, border and heads; null for one head and the window that follows from the channels of the weights.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, or <paramref name="output"/> shares memory with an operand.
    /// </exception>
    public static void Forward<T>(
        FeatureMap<T> weights, FeatureMap<T> value, FeatureMap<T> output, WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(output);
        var window = Check(weights, value, options);
        Operand w = new(nameof(weights), weights), v = new(nameof(value), value), o = new(nameof(output), output);
        OperandChecks.SameDevice(w, v, o);
        OperandChecks.Shape(nameof(output), output, window.OutputShape, w, v, o);
        OperandChecks.NoOverlap(nameof(output), output, w, v);
        Run(in window, weights, value, output);
    }

    /// <summary>Checks the operands and returns the shape of the output.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, WindowAttentionOptions?)" path="/typeparam|/exception"/>
    /// <param name="weights">Weights, [B, heads·K², OH, OW].</param>
    /// <param name="value">Value, [B, C, H, W].</param>
    /// <param name="options">
    /// Window, border and heads; null for one head and the window that follows from the channels of the weights.
    /// </param>
    /// <returns>[B, C, OH, OW], or [B, heads·C, OH, OW] if the heads share the value.</returns>
    public static MapShape OutputShape<T>(
        FeatureMap<T> weights, FeatureMap<T> value, WindowAttentionOptions? options = null)
        where T : unmanaged => Check(weights, value, options).OutputShape;

    /// <summary>
    /// Computes the gradients of weights and value from the gradient of the output, into existing maps.
    /// </summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="weights">The weights of the forward, [B, heads·K², OH, OW].</param>
    /// <param name="value">The value of the forward, [B, C, H, W].</param>
    /// <param name="gradOutput">The gradient of the output, in its shape.</param>
    /// <param name="gradWeights">
    /// Where to write the gradient of the weights, [B, heads·K², OH, OW]; null to leave it out.
    /// </param>
    /// <param name="gradValue">Where to write the gradient of the value, [B, C, H, W]; null to leave it out.</param>
    /// <param name="options">
    /// The options of the forward; null for one head and the window that follows from the channels of the weights.
    /// </param>
    /// <exception cref="ArgumentException">
    /// A shape is wrong, or a gradient to be written shares memory with another map.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">
    /// The window, the ratio of the sizes or the element type is not supported; the message lists every reason.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static void Backward<T>(
        FeatureMap<T> weights,
        FeatureMap<T> value,
        FeatureMap<T> gradOutput,
        FeatureMap<T>? gradWeights,
        FeatureMap<T>? gradValue,
        WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradOutput);
        var window = Check(weights, value, options);
        Operand w = new(nameof(weights), weights), v = new(nameof(value), value), g = new(
            nameof(gradOutput), gradOutput);
        Operand gw = new(nameof(gradWeights), gradWeights), gv = new(nameof(gradValue), gradValue);
        OperandChecks.SameDevice(w, v, g, gw, gv);
        OperandChecks.Shape(nameof(gradOutput), gradOutput, window.OutputShape, w, v, g);
        if (gradWeights is not null)
            OperandChecks.Shape(nameof(gradWeights), gradWeights, window.WeightsShape, w, v, g, gw, gv);
        if (gradValue is not null)
            OperandChecks.Shape(nameof(gradValue), gradValue, window.Shape.ValueShape, w, v, g, gw, gv);
        OperandChecks.NoOverlap(nameof(gradWeights), gradWeights, w, v, g, gw, gv);
        OperandChecks.NoOverlap(nameof(gradValue), gradValue, w, v, g, gw, gv);
        using var call = Operands.Hold(weights, value, gradOutput, gradWeights, gradValue);
        var problem = OfValues(in window);
        var kernels = WindowKernels.For(value);
        using var ofValue = new ValueGradient<T>(gradValue, in window);
        for (int head = 0; head < window.Heads; head++)
        {
            using var gradient = new HeadView<T>(gradOutput, head, window.Heads);
            if (gradWeights is not null)
            {
                using var values = new HeadView<T>(value, window.ValueHeads > 1 ? head : 0, window.ValueHeads);
                using var result = new HeadView<T>(gradWeights, head, window.Heads);
                kernels.Scores(in problem, gradient.Map, values.Map, result.Map);
            }
            if (gradValue is not null)
            {
                using var own = new HeadView<T>(weights, head, window.Heads);
                using var result = ofValue.Open(head);
                kernels.Transposed(in problem, own.Map, gradient.Map, result.Map, ofValue.Accumulates(head));
                ofValue.Close(head);
            }
        }
        ofValue.Complete();
    }

    /// <summary>Computes the gradients of weights and value from the gradient of the output.</summary>
    /// <inheritdoc cref="Backward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, FeatureMap{T}?, FeatureMap{T}?, WindowAttentionOptions?)"
    /// path="/*[not(self::summary or self::param or self::returns)]"/>
    /// <param name="weights">The weights of the forward, [B, heads·K², OH, OW].</param>
    /// <param name="value">The value of the forward, [B, C, H, W].</param>
    /// <param name="gradOutput">The gradient of the output, in its shape.</param>
    /// <param name="options">
    /// The options of the forward; null for one head and the window that follows from the channels of the weights.
    /// </param>
    /// <param name="wanted">Which gradients to compute.</param>
    /// <returns>The gradients, each in the format of its operand.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wanted"/> has undefined flags.</exception>
    public static WindowReassemblyGradients<T> Backward<T>(
        FeatureMap<T> weights,
        FeatureMap<T> value,
        FeatureMap<T> gradOutput,
        WindowAttentionOptions? options = null,
        Gradients wanted = Gradients.All)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(value);
        var gradients = new WindowReassemblyGradients<T>(
            wanted.Includes(Gradients.Weights) ? FeatureMap<T>.CreateLike(weights) : null,
            wanted.Includes(Gradients.Value) ? FeatureMap<T>.CreateLike(value) : null);
        Backward(weights, value, gradOutput, gradients.Weights, gradients.Value, options);
        return gradients;
    }

    /// <summary>Describes the kernel that the forward runs for these operands.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, WindowAttentionOptions?)"/>
    /// <returns>The kind of kernel and the choices that are compiled into it, as text.</returns>
    public static string Describe<T>(FeatureMap<T> weights, FeatureMap<T> value, WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        var window = Check(weights, value, options);
        using var v = new HeadView<T>(value, 0, window.ValueHeads);
        return WindowKernels.For(value).Plan(window.Head, v.Map, v.Map, v.Map, null).ToString();
    }

    private static HeadedWindow Check<T>(FeatureMap<T> weights, FeatureMap<T> value, WindowAttentionOptions? options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(value);
        Operand w = new(nameof(weights), weights), v = new(nameof(value), value);
        OperandChecks.SameDevice(w, v);
        options ??= WindowWidth.OptionsOf(nameof(weights), weights);
        var window = WindowShapes.Infer(
            nameof(weights), weights, nameof(value), value, options.Heads, value.Shape.Channels, options, w, v);
        OperandChecks.Shape(nameof(weights), weights, window.WeightsShape, w, v);
        return window;
    }

    // The adjoint kernels compare as many channels as the forward reassembles.
    private static WindowProblem OfValues(in HeadedWindow window)
    {
        var value = window.Head.Shape.ValueShape;
        var output = window.Shape.OutputShape;
        return window.Head with
        {
            Shape = new WindowShape(value, value.Channels, output.Height, output.Width, window.Shape.Window),
        };
    }

    private static void Run<T>(in HeadedWindow window, FeatureMap<T> weights, FeatureMap<T> value, FeatureMap<T> output)
        where T : unmanaged
    {
        using var call = Operands.Hold(weights, value, output);
        var problem = window.Head;
        for (int head = 0; head < window.Heads; head++)
        {
            using var w = new HeadView<T>(weights, head, window.Heads);
            using var v = new HeadView<T>(value, window.ValueHeads > 1 ? head : 0, window.ValueHeads);
            using var o = new HeadView<T>(output, head, window.Heads);
            WindowKernels.For(value).Reassembly(in problem, w.Map, v.Map, o.Map);
        }
    }
}
