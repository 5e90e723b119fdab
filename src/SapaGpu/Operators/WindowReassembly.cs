using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// Reassembly, the second half of window attention: out(y, x) = Σⱼ weights[j](y, x) · value(cell + offset j), with
/// value 0 outside the map, or with <see cref="BorderRule.Replicate"/> that of the nearest cell. Linear in both
/// operands; no atomics, reproducible to the last bit.
/// </summary>
/// <remarks>
/// Shapes: weights [B, heads·K², OH, OW], one channel for every tap, row by row and head after head; value [B, C, H,
/// W]; output [B, C, OH, OW], or [B, heads·C, OH, OW] where all heads share the value. Source: SAPA (NeurIPS 2022),
/// section 4;
/// <c>atn</c> in the reference implementations. With heads it is the reassembly of CARAFE (Wang et al., ICCV 2019),
/// whose groups are our heads.
/// </remarks>
public static class WindowReassembly
{
    /// <summary>Computes the output.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="weights">Weights, [B, heads·K², OH, OW].</param>
    /// <param name="value">Value, [B, C, H, W].</param>
    /// <param name="options">Window, border and heads; null for one head and the window that the weights have.</param>
    /// <returns>The output, in the format of the value.</returns>
    /// <exception cref="ArgumentException">The shapes do not belong together.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">Window, ratio or element type are not supported.</exception>
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

    /// <summary>Computes the output into a map of the caller.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, WindowAttentionOptions?)"/>
    /// <param name="weights">Weights, [B, heads·K², OH, OW].</param>
    /// <param name="value">Value, [B, C, H, W].</param>
    /// <param name="output">Where the output is written, in any format.</param>
    /// <param name="options">Window, border and heads; null for one head and the window that the weights have.</param>
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

    /// <summary>The shape of the output, the operands checked.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, WindowAttentionOptions?)" path="/typeparam|/exception"/>
    /// <param name="weights">Weights, [B, heads·K², OH, OW].</param>
    /// <param name="value">Value, [B, C, H, W].</param>
    /// <param name="options">Window, border and heads; null for one head and the window that the weights have.</param>
    public static MapShape OutputShape<T>(
        FeatureMap<T> weights, FeatureMap<T> value, WindowAttentionOptions? options = null)
        where T : unmanaged => Check(weights, value, options).OutputShape;

    /// <summary>The gradients of weights and value, given that of the output, written where a map is given.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="weights">The weights of the forward, [B, heads·K², OH, OW].</param>
    /// <param name="value">The value of the forward, [B, C, H, W].</param>
    /// <param name="gradOutput">The gradient of the output.</param>
    /// <param name="gradWeights">Where to write the gradient of the weights; null to leave it out.</param>
    /// <param name="gradValue">Where to write the gradient of the value; null to leave it out.</param>
    /// <param name="options">The options of the forward.</param>
    /// <exception cref="ArgumentException">
    /// A shape is wrong, or a map to write bilinear weights memory with another.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">Window, ratio or element type are not supported.</exception>
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
        var kernels = WindowKernels.For(value.ElementType);
        for (int head = 0; head < window.Heads; head++)
        {
            int valueHead = window.ValueHeads > 1 ? head : 0;
            using var gradient = new HeadView<T>(gradOutput, head, window.Heads);
            if (gradWeights is not null)
            {
                using var values = new HeadView<T>(value, valueHead, window.ValueHeads);
                using var result = new HeadView<T>(gradWeights, head, window.Heads);
                kernels.Scores(in problem, gradient.Map, values.Map, result.Map);
            }
            if (gradValue is not null)
            {
                using var own = new HeadView<T>(weights, head, window.Heads);
                using var result = new HeadView<T>(gradValue, valueHead, window.ValueHeads);
                kernels.Transposed(
                    in problem,
                    own.Map,
                    gradient.Map,
                    result.Map,
                    accumulate: head > 0 && window.ValueHeads == 1);
            }
        }
    }

    /// <summary>The gradients of weights and value, given that of the output.</summary>
    /// <inheritdoc cref="Backward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, FeatureMap{T}?, FeatureMap{T}?, WindowAttentionOptions?)"/>
    /// <param name="weights">The weights of the forward, [B, heads·K², OH, OW].</param>
    /// <param name="value">The value of the forward, [B, C, H, W].</param>
    /// <param name="gradOutput">The gradient of the output.</param>
    /// <param name="options">The options of the forward.</param>
    /// <param name="wanted">Which gradients to compute.</param>
    /// <returns>The gradients, each in the format of its operand.</returns>
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

    /// <summary>Says in words which kernel the forward runs for these operands.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, WindowAttentionOptions?)"/>
    /// <returns>The choices that are compiled into the kernel.</returns>
    public static string Describe<T>(FeatureMap<T> weights, FeatureMap<T> value, WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        var window = Check(weights, value, options);
        using var v = new HeadView<T>(value, 0, window.ValueHeads);
        return WindowKernels.For(value.ElementType).Plan(window.Head, v.Map, v.Map, v.Map, null).ToString();
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

    // The kernels of the adjoint compare as many channels as they reassemble.
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
            WindowKernels.For(value.ElementType).Reassembly(in problem, w.Map, v.Map, o.Map);
        }
    }
}
