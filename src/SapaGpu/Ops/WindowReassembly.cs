using SapaGpu.Launch;

namespace SapaGpu;

/// <summary>
/// Reassembly, the second half of window attention: out(y, x) = Σⱼ weights[j](y, x) · value(cell + offset j), with value
/// 0 outside the map. Linear in both operands; no atomics, reproducible to the last bit.
/// </summary>
/// <remarks>
/// Shapes: weights [B, K², s·H, s·W], one channel for every tap, row by row; value [B, C, H, W]; output [B, C, s·H, s·W].
/// Source: SAPA (NeurIPS 2022), section 4; <c>atn</c> in the reference implementations.
/// </remarks>
public static class WindowReassembly
{
    /// <summary>Computes the output.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="weights">Weights, [B, K², s·H, s·W].</param>
    /// <param name="value">Value, [B, C, H, W].</param>
    /// <returns>The output, [B, C, s·H, s·W], in the format of the value.</returns>
    /// <exception cref="ArgumentException">The shapes do not belong together.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">Window, scale or element type are not supported.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static Tensor<T> Forward<T>(Tensor<T> weights, Tensor<T> value)
        where T : unmanaged
    {
        var shape = Check(weights, value);
        var output = Tensor<T>.Create(value.Device, shape.OutputShape, value.Format);
        Run(in shape, weights, value, output);
        return output;
    }

    /// <summary>Computes the output into a tensor of the caller.</summary>
    /// <inheritdoc cref="Forward{T}(Tensor{T}, Tensor{T})"/>
    /// <param name="weights">Weights, [B, K², s·H, s·W].</param>
    /// <param name="value">Value, [B, C, H, W].</param>
    /// <param name="output">Where the output is written, [B, C, s·H, s·W], in any format.</param>
    public static void Forward<T>(Tensor<T> weights, Tensor<T> value, Tensor<T> output)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(output);
        var shape = Check(weights, value);
        Operand w = new(nameof(weights), weights), v = new(nameof(value), value), o = new(nameof(output), output);
        OperandChecks.SameDevice(w, v, o);
        OperandChecks.Shape(nameof(output), output, shape.OutputShape, w, v, o);
        OperandChecks.NoOverlap(nameof(output), output, w, v);
        Run(in shape, weights, value, output);
    }

    /// <summary>The gradients of weights and value, given that of the output, written where a tensor is given.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="weights">The weights of the forward, [B, K², s·H, s·W].</param>
    /// <param name="value">The value of the forward, [B, C, H, W].</param>
    /// <param name="gradOutput">The gradient of the output, [B, C, s·H, s·W].</param>
    /// <param name="gradWeights">Where to write the gradient of the weights; null to leave it out.</param>
    /// <param name="gradValue">Where to write the gradient of the value; null to leave it out.</param>
    /// <exception cref="ArgumentException">A shape is wrong, or a tensor to write shares memory with another.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">Window, scale or element type are not supported.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static void Backward<T>(
        Tensor<T> weights, Tensor<T> value, Tensor<T> gradOutput, Tensor<T>? gradWeights, Tensor<T>? gradValue)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradOutput);
        var shape = Check(weights, value);
        Operand w = new(nameof(weights), weights), v = new(nameof(value), value), g = new(nameof(gradOutput), gradOutput);
        Operand gw = new(nameof(gradWeights), gradWeights), gv = new(nameof(gradValue), gradValue);
        OperandChecks.SameDevice(w, v, g, gw, gv);
        OperandChecks.Shape(nameof(gradOutput), gradOutput, shape.OutputShape, w, v, g);
        if (gradWeights is not null)
            OperandChecks.Shape(nameof(gradWeights), gradWeights, shape.WeightsShape, w, v, g, gw, gv);
        if (gradValue is not null)
            OperandChecks.Shape(nameof(gradValue), gradValue, shape.ValueShape, w, v, g, gw, gv);
        OperandChecks.NoOverlap(nameof(gradWeights), gradWeights, w, v, g, gw, gv);
        OperandChecks.NoOverlap(nameof(gradValue), gradValue, w, v, g, gw, gv);
        using var device = value.Device.Use();
        using var useWeights = weights.Use();
        using var useValue = value.Use();
        using var useGradOutput = gradOutput.Use();
        using var useGradWeights = Tensor.Hold(gradWeights);
        using var useGradValue = Tensor.Hold(gradValue);
        if (gradWeights is not null)
            WindowKernels<T>.Instance.Similarity(in shape, gradOutput, value, gradWeights);
        if (gradValue is not null)
            WindowKernels<T>.Instance.Transposed(in shape, weights, gradOutput, gradValue);
    }

    /// <summary>The gradients of weights and value, given that of the output.</summary>
    /// <inheritdoc cref="Backward{T}(Tensor{T}, Tensor{T}, Tensor{T}, Tensor{T}?, Tensor{T}?)"/>
    /// <returns>The gradients, each in the format of its operand.</returns>
    public static (Tensor<T> Weights, Tensor<T> Value) Backward<T>(
        Tensor<T> weights, Tensor<T> value, Tensor<T> gradOutput)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(value);
        var gradWeights = Tensor<T>.Create(weights.Device, weights.Shape, weights.Format);
        var gradValue = Tensor<T>.Create(value.Device, value.Shape, value.Format);
        Backward(weights, value, gradOutput, gradWeights, gradValue);
        return (gradWeights, gradValue);
    }

    private static WindowShape Check<T>(Tensor<T> weights, Tensor<T> value)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(value);
        Operand w = new(nameof(weights), weights), v = new(nameof(value), value);
        OperandChecks.SameDevice(w, v);
        int window = WindowWidth.Of(nameof(weights), weights);
        int channels = value.Shape.Channels;
        var shape = WindowShapes.Infer(
            nameof(weights), weights.Shape, nameof(value), value.Shape, window, channels, channels, w, v);
        OperandChecks.Supported(value, window, shape.Scale, w, v);
        return shape;
    }

    private static void Run<T>(in WindowShape shape, Tensor<T> weights, Tensor<T> value, Tensor<T> output)
        where T : unmanaged
    {
        using var device = value.Device.Use();
        using var useWeights = weights.Use();
        using var useValue = value.Use();
        using var useOutput = output.Use();
        WindowKernels<T>.Instance.Reassembly(in shape, weights, value, output);
    }
}
