using SapaGpu.Launch;

namespace SapaGpu;

/// <summary>
/// Window attention between resolutions, the operator of SAPA (Lu et al., <i>SAPA: Similarity-Aware Point Affiliation
/// for Feature Upsampling</i>, NeurIPS 2022, section 4).
/// </summary>
/// <remarks>
/// <para>For an output point (y, x) at scale s, with the K×K window around the decoder cell (⌊y/s⌋, ⌊x/s⌋):</para>
/// <code>
/// score[j]  = ⟨query(y, x), key(cell + offset j)⟩          no scaling by √D
/// weight    = softmax(score)                              over the K² taps, row by row
/// out(y, x) = Σⱼ weight[j] · value(cell + offset j)
/// </code>
/// <para>Taps outside the map follow the <see cref="BorderRule"/>. Shapes: query [B, D, s·H, s·W], key [B, D, H, W],
/// value [B, C, H, W], output [B, C, s·H, s·W]; any of them in either <see cref="MemoryFormat"/>. Element types float
/// and double, accumulated in the same type. NaN and infinities propagate as they do through the formulas.</para>
/// <para>The scores are never stored: forward and backward compute them in the kernels, the backward from the saved
/// log-sum-exp. The backward uses no atomics; its results are the same to the last bit in every run.</para>
/// <para>Calls are queued on the device of the operands and return before a GPU has finished.</para>
/// </remarks>
public static class WindowAttention
{
    /// <summary>Upsamples a value under the guidance of query and key.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="query">Features of the guide, [B, D, s·H, s·W].</param>
    /// <param name="key">Features of the decoder, [B, D, H, W].</param>
    /// <param name="value">What is upsampled, [B, C, H, W].</param>
    /// <param name="options">Window and border; null for the defaults.</param>
    /// <returns>The output, [B, C, s·H, s·W], in the format of the value.</returns>
    /// <exception cref="ArgumentException">The shapes do not belong together.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">Window, scale or element type are not supported; all reasons are given.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static Tensor<T> Forward<T>(
        Tensor<T> query, Tensor<T> key, Tensor<T> value, WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        options ??= WindowAttentionOptions.Default;
        var shape = CheckInputs(query, key, value, options.Window);
        var output = Tensor<T>.Create(value.Device, shape.OutputShape, value.Format);
        Run(in shape, options.Border, query, key, value, output, null);
        return output;
    }

    /// <summary>Upsamples a value and keeps what the backward needs.</summary>
    /// <inheritdoc cref="Forward{T}(Tensor{T}, Tensor{T}, Tensor{T}, WindowAttentionOptions?)"/>
    /// <param name="query">Features of the guide, [B, D, s·H, s·W].</param>
    /// <param name="key">Features of the decoder, [B, D, H, W].</param>
    /// <param name="value">What is upsampled, [B, C, H, W].</param>
    /// <param name="options">Window and border; null for the defaults.</param>
    /// <param name="context">
    /// What <see cref="Backward{T}(WindowAttentionContext{T}, Tensor{T}, AttentionGradients)"/> needs; it refers to the
    /// operands, which must not be changed or disposed before.
    /// </param>
    public static Tensor<T> Forward<T>(
        Tensor<T> query,
        Tensor<T> key,
        Tensor<T> value,
        WindowAttentionOptions? options,
        out WindowAttentionContext<T> context)
        where T : unmanaged
    {
        options ??= WindowAttentionOptions.Default;
        var shape = CheckInputs(query, key, value, options.Window);
        var output = Tensor<T>.Create(value.Device, shape.OutputShape, value.Format);
        context = new WindowAttentionContext<T>(value.Device, shape, options.Border);
        Run(in shape, options.Border, query, key, value, output, context);
        return output;
    }

    /// <summary>Upsamples a value into a tensor of the caller; nothing is allocated in the steady state.</summary>
    /// <inheritdoc cref="Forward{T}(Tensor{T}, Tensor{T}, Tensor{T}, WindowAttentionOptions?)"/>
    /// <param name="query">Features of the guide, [B, D, s·H, s·W].</param>
    /// <param name="key">Features of the decoder, [B, D, H, W].</param>
    /// <param name="value">What is upsampled, [B, C, H, W].</param>
    /// <param name="output">Where the output is written, [B, C, s·H, s·W], in any format.</param>
    /// <param name="options">Window and border; null for the defaults.</param>
    /// <param name="context">A context of the same problem to fill for the backward; null if there will be none.</param>
    public static void Forward<T>(
        Tensor<T> query,
        Tensor<T> key,
        Tensor<T> value,
        Tensor<T> output,
        WindowAttentionOptions? options = null,
        WindowAttentionContext<T>? context = null)
        where T : unmanaged
    {
        options ??= WindowAttentionOptions.Default;
        ArgumentNullException.ThrowIfNull(output);
        var shape = CheckInputs(query, key, value, options.Window);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), v = new(nameof(value), value);
        Operand o = new(nameof(output), output);
        OperandChecks.SameDevice(q, k, v, o, new("context", context?.LogSumExp));
        OperandChecks.Shape(nameof(output), output, shape.OutputShape, q, k, v, o);
        OperandChecks.NoOverlap(nameof(output), output, q, k, v);
        if (context is not null && (context.Shape != shape || context.Border != options.Border))
        {
            throw new ArgumentException(
                $"The context was made for query {context.Shape.QueryShape}, value {context.Shape.ValueShape}, window " +
                $"{context.Shape.Window} and border {context.Border}; this call has window {options.Window}, border " +
                $"{options.Border}. {OperandChecks.Describe(q, k, v, o)}",
                nameof(context));
        }
        Run(in shape, options.Border, query, key, value, output, context);
    }

    /// <summary>The gradients of a scalar with respect to query, key and value, given that of the output.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="context">The context of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, C, s·H, s·W], in any format.</param>
    /// <param name="wanted">Which gradients to compute.</param>
    /// <returns>The gradients, each in the format of its operand.</returns>
    /// <exception cref="ArgumentException">The gradient has not the shape of the output.</exception>
    /// <exception cref="DeviceMismatchException">The gradient is on another device.</exception>
    /// <exception cref="ObjectDisposedException">The context, an operand of the forward or the device was disposed.</exception>
    public static WindowAttentionGradients<T> Backward<T>(
        WindowAttentionContext<T> context, Tensor<T> gradOutput, AttentionGradients wanted = AttentionGradients.All)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(gradOutput);
        CheckGradOutput(context, gradOutput);
        var gradients = new WindowAttentionGradients<T>(
            wanted.HasFlag(AttentionGradients.Query) ? Like(context.Query) : null,
            wanted.HasFlag(AttentionGradients.Key) ? Like(context.Key) : null,
            wanted.HasFlag(AttentionGradients.Value) ? Like(context.Value) : null);
        Run(context, gradOutput, gradients.Query, gradients.Key, gradients.Value);
        return gradients;
    }

    /// <summary>
    /// The gradients written into tensors of the caller; nothing is allocated in the steady state but the workspace,
    /// which comes from the memory that the device keeps.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="context">The context of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, C, s·H, s·W], in any format.</param>
    /// <param name="gradQuery">Where to write the gradient of the query, [B, D, s·H, s·W]; null to leave it out.</param>
    /// <param name="gradKey">Where to write the gradient of the key, [B, D, H, W]; null to leave it out.</param>
    /// <param name="gradValue">Where to write the gradient of the value, [B, C, H, W]; null to leave it out.</param>
    /// <exception cref="ArgumentException">A shape is wrong, or a tensor to write shares memory with another.</exception>
    /// <exception cref="DeviceMismatchException">A tensor is on another device.</exception>
    /// <exception cref="ObjectDisposedException">The context, a tensor or the device was disposed.</exception>
    public static void Backward<T>(
        WindowAttentionContext<T> context,
        Tensor<T> gradOutput,
        Tensor<T>? gradQuery,
        Tensor<T>? gradKey,
        Tensor<T>? gradValue)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(gradOutput);
        CheckGradOutput(context, gradOutput);
        Operand q = new(nameof(gradQuery), gradQuery), k = new(nameof(gradKey), gradKey);
        Operand v = new(nameof(gradValue), gradValue), g = new(nameof(gradOutput), gradOutput);
        Operand query = new("query", context.Query), key = new("key", context.Key);
        Operand value = new("value", context.Value);
        OperandChecks.SameDevice(g, q, k, v);
        if (gradQuery is not null)
            OperandChecks.Shape(nameof(gradQuery), gradQuery, context.Shape.QueryShape, g, q, k, v);
        if (gradKey is not null)
            OperandChecks.Shape(nameof(gradKey), gradKey, context.Shape.KeyShape, g, q, k, v);
        if (gradValue is not null)
            OperandChecks.Shape(nameof(gradValue), gradValue, context.Shape.ValueShape, g, q, k, v);
        OperandChecks.NoOverlap(nameof(gradQuery), gradQuery, query, key, value, g, q, k, v);
        OperandChecks.NoOverlap(nameof(gradKey), gradKey, query, key, value, g, q, k, v);
        OperandChecks.NoOverlap(nameof(gradValue), gradValue, query, key, value, g, q, k, v);
        Run(context, gradOutput, gradQuery, gradKey, gradValue);
    }

    /// <summary>Says in words which kernel the forward would run for these operands.</summary>
    /// <inheritdoc cref="Forward{T}(Tensor{T}, Tensor{T}, Tensor{T}, WindowAttentionOptions?)"/>
    public static string DescribeKernel<T>(
        Tensor<T> query, Tensor<T> key, Tensor<T> value, WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        options ??= WindowAttentionOptions.Default;
        var shape = CheckInputs(query, key, value, options.Window);
        return WindowKernels<T>.Instance.Plan(in shape, options.Border, query, key, value, null).ToString();
    }

    private static WindowShape CheckInputs<T>(Tensor<T> query, Tensor<T> key, Tensor<T> value, int window)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), v = new(nameof(value), value);
        OperandChecks.SameDevice(q, k, v);
        var shape = WindowShapes.Infer(
            nameof(query), query.Shape, nameof(key), key.Shape, window, key.Shape.Channels, value.Shape.Channels, q, k, v);
        OperandChecks.Shape(nameof(query), query, shape.QueryShape, q, k, v);
        OperandChecks.Shape(nameof(value), value, shape.ValueShape, q, k, v);
        OperandChecks.Supported(query, window, shape.Scale, q, k, v);
        return shape;
    }

    private static void CheckGradOutput<T>(WindowAttentionContext<T> context, Tensor<T> gradOutput)
        where T : unmanaged
    {
        Operand q = new("query", context.Query), k = new("key", context.Key), v = new("value", context.Value);
        Operand g = new(nameof(gradOutput), gradOutput);
        OperandChecks.SameDevice(q, k, v, g, new("context", context.LogSumExp));
        OperandChecks.Shape(nameof(gradOutput), gradOutput, context.Shape.OutputShape, q, k, v, g);
    }

    private static Tensor<T> Like<T>(Tensor<T> tensor)
        where T : unmanaged => Tensor<T>.Create(tensor.Device, tensor.Shape, tensor.Format);

    private static void Run<T>(
        in WindowShape shape,
        BorderRule border,
        Tensor<T> query,
        Tensor<T> key,
        Tensor<T> value,
        Tensor<T> output,
        WindowAttentionContext<T>? context)
        where T : unmanaged
    {
        using var device = query.Device.Use();
        using var useQuery = query.Use();
        using var useKey = key.Use();
        using var useValue = value.Use();
        using var useOutput = output.Use();
        using var useContext = Tensor.Hold(context?.LogSumExp);
        WindowKernels<T>.Instance.Forward(in shape, border, query, key, value, output, context?.LogSumExp);
        context?.Fill(query, key, value);
    }

    private static void Run<T>(
        WindowAttentionContext<T> context,
        Tensor<T> gradOutput,
        Tensor<T>? gradQuery,
        Tensor<T>? gradKey,
        Tensor<T>? gradValue)
        where T : unmanaged
    {
        if (gradQuery is null && gradKey is null && gradValue is null)
            return;
        using var device = gradOutput.Device.Use();
        using var useQuery = context.Query.Use();
        using var useKey = context.Key.Use();
        using var useValue = context.Value.Use();
        using var useContext = context.LogSumExp.Use();
        using var useGradOutput = gradOutput.Use();
        using var useGradQuery = Tensor.Hold(gradQuery);
        using var useGradKey = Tensor.Hold(gradKey);
        using var useGradValue = Tensor.Hold(gradValue);
        var shape = context.Shape;
        var operands = new AttentionOperands<T>
        {
            Query = context.Query,
            Key = context.Key,
            Value = context.Value,
            LogSumExp = context.LogSumExp,
            GradOutput = gradOutput,
        };
        WindowKernels<T>.Instance.Backward(
            in shape, context.Border, in operands, gradQuery, gradKey, gradValue);
    }
}
