using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// Window attention across resolutions, the operator of SAPA (Lu et al., <i>SAPA: Similarity-Aware Point Affiliation
/// for Feature Upsampling</i>, NeurIPS 2022, section 4).
/// </summary>
/// <remarks>
/// <para>Output point (y, x) attends to the K×K window around its decoder cell, (⌊y·H/OH⌋, ⌊x·W/OW⌋); for an integer
/// ratio s that is (⌊y/s⌋, ⌊x/s⌋):</para>
/// <code>
/// score[j]  = ⟨query(y, x), key(cell + offset j)⟩          not divided by √D
/// weight    = softmax(score)                              over the K² taps, numbered row by row
/// out(y, x) = Σⱼ weight[j] · value(cell + offset j)
/// </code>
/// <para><see cref="BorderRule"/> defines how taps outside the map are treated, <see cref="ScoreNormalisation"/> how
/// scores become weights. Shapes: query [B, D, OH, OW], key [B, D, H, W], value [B, C, H, W], output [B, C, OH, OW],
/// each in either <see cref="MemoryFormat"/>. Along each axis the output may have any size up to 16 times that of the
/// map. With several heads, each head compares its own D/heads channels, and <see cref="HeadValue"/> selects what it
/// reassembles; with <see cref="HeadValue.Shared"/> the output is [B, heads·C, OH, OW].</para>
/// <para>Element types: float, double, <see cref="Half"/> and <see cref="BFloat16"/>. Sums are in double for double,
/// otherwise in float. NaN and infinities propagate as in the formulas.</para>
/// <para>The scores are never stored: the kernels of forward and backward compute them, and the backward recovers the
/// weights from the saved normaliser. The backward uses no atomics; its results are bitwise reproducible.</para>
/// <para>Calls are queued on the device of the operands and may return before a GPU has finished.</para>
/// </remarks>
public static class WindowAttention
{
    /// <summary>Upsamples a value, guided by the similarity of query and key.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="query">Embedding of the guide (encoder features), [B, D, OH, OW].</param>
    /// <param name="key">Embedding of the decoder features, [B, D, H, W].</param>
    /// <param name="value">The features to upsample, [B, C, H, W].</param>
    /// <param name="options">Window, border, normalisation, heads; null for the defaults.</param>
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
        FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> value, WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        options ??= WindowAttentionOptions.Default;
        var window = CheckInputs(query, key, value, options);
        var output = FeatureMap<T>.Create(value.Device, window.OutputShape, value.Format);
        Run(in window, query, key, value, output, null);
        return output;
    }

    /// <summary>Upsamples a value and returns a context for the backward.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, WindowAttentionOptions?)"
    /// path="/*[not(self::summary or self::param)]"/>
    /// <param name="query">Embedding of the guide (encoder features), [B, D, OH, OW].</param>
    /// <param name="key">Embedding of the decoder features, [B, D, H, W].</param>
    /// <param name="value">The features to upsample, [B, C, H, W].</param>
    /// <param name="options">Window, border, normalisation, heads; null for the defaults.</param>
    /// <param name="context">
    /// The context for <see cref="Backward{T}(WindowAttentionContext{T}, FeatureMap{T}, Gradients)"/>, which the caller
    /// disposes. It refers to the operands, which must not be changed or disposed before the backward.
    /// </param>
    public static FeatureMap<T> Forward<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        WindowAttentionOptions? options,
        out WindowAttentionContext<T> context)
        where T : unmanaged
    {
        options ??= WindowAttentionOptions.Default;
        var window = CheckInputs(query, key, value, options);
        var output = FeatureMap<T>.Create(value.Device, window.OutputShape, value.Format);
        context = new WindowAttentionContext<T>(value.Device, window.Shape, options);
        Run(in window, query, key, value, output, context);
        return output;
    }

    /// <summary>Upsamples a value into an existing map; nothing is allocated in the steady state.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, WindowAttentionOptions?)" path="/typeparam|/exception"/>
    /// <param name="query">Embedding of the guide (encoder features), [B, D, OH, OW].</param>
    /// <param name="key">Embedding of the decoder features, [B, D, H, W].</param>
    /// <param name="value">The features to upsample, [B, C, H, W].</param>
    /// <param name="output">
    /// Where the output is written, [B, C, OH, OW], or [B, heads·C, OH, OW] if the heads share the value, in either
    /// format.
    /// </param>
    /// <param name="options">Window, border, normalisation, heads; null for the defaults.</param>
    /// <param name="context">
    /// A context of the same shape and options to fill for the backward; null if there is no backward. It refers to
    /// query, key and value, which must not be changed or disposed before the backward.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, <paramref name="output"/> shares memory with an operand, or <paramref name="context"/>
    /// was made for another shape or other options.
    /// </exception>
    public static void Forward<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        FeatureMap<T> output,
        WindowAttentionOptions? options = null,
        WindowAttentionContext<T>? context = null)
        where T : unmanaged
    {
        options ??= WindowAttentionOptions.Default;
        ArgumentNullException.ThrowIfNull(output);
        var window = CheckInputs(query, key, value, options);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), v = new(nameof(value), value);
        Operand o = new(nameof(output), output);
        OperandChecks.SameDevice(q, k, v, o, new("context", context?.Normaliser));
        OperandChecks.Shape(nameof(output), output, window.OutputShape, q, k, v, o);
        OperandChecks.NoOverlap(nameof(output), output, q, k, v);
        if (context is not null && context.Window != window)
        {
            throw new ArgumentException(
                $"The context was made for query {context.Shape.QueryShape}, value {context.Shape.ValueShape} and " +
                $"{context.Options.Describe()}; this call has {options.Describe()}. Create a context for it. " +
                OperandChecks.Describe(q, k, v, o),
                nameof(context));
        }
        Run(in window, query, key, value, output, context);
    }

    /// <summary>Computes the gradients of query, key and value from the gradient of the output.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="context">The context of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, in its shape and in either format.</param>
    /// <param name="wanted">Which gradients to compute.</param>
    /// <returns>The gradients, each in the format of its operand.</returns>
    /// <exception cref="ArgumentException">The gradient does not have the shape of the output.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wanted"/> has undefined flags.</exception>
    /// <exception cref="DeviceMismatchException">The gradient is on another device.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="InvalidOperationException">No forward has filled the context.</exception>
    /// <exception cref="ObjectDisposedException">
    /// The context, an operand of the forward or the device was disposed.
    /// </exception>
    public static WindowAttentionGradients<T> Backward<T>(
        WindowAttentionContext<T> context, FeatureMap<T> gradOutput, Gradients wanted = Gradients.All)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(gradOutput);
        CheckGradOutput(context, gradOutput);
        var gradients = new WindowAttentionGradients<T>(
            wanted.Includes(Gradients.Query) ? FeatureMap<T>.CreateLike(context.Query) : null,
            wanted.Includes(Gradients.Key) ? FeatureMap<T>.CreateLike(context.Key) : null,
            wanted.Includes(Gradients.Value) ? FeatureMap<T>.CreateLike(context.Value) : null);
        Run(context, gradOutput, gradients.Query, gradients.Key, gradients.Value);
        return gradients;
    }

    /// <summary>
    /// Computes the gradients into existing maps. In the steady state nothing is allocated but the workspace, which
    /// comes from the memory pool of the device.
    /// </summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="context">The context of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, in its shape and in either format.</param>
    /// <param name="gradQuery">Where to write the gradient of the query, [B, D, OH, OW]; null to leave it out.</param>
    /// <param name="gradKey">Where to write the gradient of the key, [B, D, H, W]; null to leave it out.</param>
    /// <param name="gradValue">Where to write the gradient of the value, [B, C, H, W]; null to leave it out.</param>
    /// <exception cref="ArgumentException">
    /// A shape is wrong, or a gradient to be written shares memory with another map.
    /// </exception>
    /// <exception cref="DeviceMismatchException">A map is on another device.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="InvalidOperationException">No forward has filled the context.</exception>
    /// <exception cref="ObjectDisposedException">The context, a map or the device was disposed.</exception>
    public static void Backward<T>(
        WindowAttentionContext<T> context,
        FeatureMap<T> gradOutput,
        FeatureMap<T>? gradQuery,
        FeatureMap<T>? gradKey,
        FeatureMap<T>? gradValue)
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

    /// <summary>Checks the operands and returns the shapes of the output and of the normaliser.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, WindowAttentionOptions?)"/>
    /// <returns>
    /// Output, [B, C, OH, OW] or [B, heads·C, OH, OW], and <see cref="WindowAttentionContext{T}.Normaliser"/>,
    /// [B, heads, OH, OW].
    /// </returns>
    public static (MapShape Output, MapShape Normaliser) Shapes<T>(
        FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> value, WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        var window = CheckInputs(query, key, value, options ?? WindowAttentionOptions.Default);
        return (window.OutputShape, window.NormaliserShape);
    }

    /// <summary>
    /// Describes the kernel that the forward runs for these operands, and the backward where it takes the programs of
    /// <see cref="CrossAttention"/>, for a gradient of the output in the format of the value.
    /// </summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, WindowAttentionOptions?)"/>
    /// <returns>The kind of kernel and the choices that are compiled into it, as text.</returns>
    public static string Describe<T>(
        FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> value, WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        options ??= WindowAttentionOptions.Default;
        var window = CheckInputs(query, key, value, options);
        using var q = new HeadView<T>(query, 0, window.Heads);
        using var k = new HeadView<T>(key, 0, window.Heads);
        using var v = new HeadView<T>(value, 0, window.ValueHeads);
        string forward = WindowKernels.For(query).Plan(window.Head, q.Map, k.Map, v.Map, null).ToString();
        return WindowsAsRanges.TakeBackward(in window, query, value)
            ? $"{forward}, backward as cross-resolution attention"
            : forward;
    }

    /// <summary>Checks the operands of a call and returns its problem.</summary>
    internal static HeadedWindow CheckInputs<T>(
        FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> value, WindowAttentionOptions options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), v = new(nameof(value), value);
        OperandChecks.SameDevice(q, k, v);
        var window = WindowShapes.Infer(
            nameof(query), query, nameof(key), key, key.Shape.Channels, value.Shape.Channels, options, q, k, v);
        OperandChecks.Shape(nameof(query), query, window.Shape.QueryShape, q, k, v);
        OperandChecks.Shape(nameof(value), value, window.Shape.ValueShape, q, k, v);
        return window;
    }

    private static void CheckGradOutput<T>(WindowAttentionContext<T> context, FeatureMap<T> gradOutput)
        where T : unmanaged
    {
        Operand q = new("query", context.Query), k = new("key", context.Key), v = new("value", context.Value);
        Operand g = new(nameof(gradOutput), gradOutput);
        OperandChecks.SameDevice(q, k, v, g, new("context", context.Normaliser));
        OperandChecks.Shape(nameof(gradOutput), gradOutput, context.Window.OutputShape, q, k, v, g);
    }

    private static void Run<T>(
        in HeadedWindow window,
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        FeatureMap<T> output,
        WindowAttentionContext<T>? context)
        where T : unmanaged
    {
        using var call = Operands.Hold(query, key, value, output, context?.Normaliser);
        var problem = window.Head;
        for (int head = 0; head < window.Heads; head++)
        {
            using var q = new HeadView<T>(query, head, window.Heads);
            using var k = new HeadView<T>(key, head, window.Heads);
            using var v = new HeadView<T>(value, window.ValueHeads > 1 ? head : 0, window.ValueHeads);
            using var o = new HeadView<T>(output, head, window.Heads);
            using var own = window.Heads > 1 ? context?.Normaliser.ChannelsOf(head, 1) : null;
            WindowKernels.For(query).Forward(
                in problem, q.Map, k.Map, v.Map, o.Map, own ?? context?.Normaliser);
        }
        context?.Fill(query, key, value);
    }

    private static void Run<T>(
        WindowAttentionContext<T> context,
        FeatureMap<T> gradOutput,
        FeatureMap<T>? gradQuery,
        FeatureMap<T>? gradKey,
        FeatureMap<T>? gradValue)
        where T : unmanaged
    {
        if (gradQuery is null && gradKey is null && gradValue is null)
            return;
        using var call = Operands.Hold(
            context.Query, context.Key, context.Value, context.Normaliser, gradOutput, gradQuery, gradKey, gradValue);
        var window = context.Window;
        if (WindowsAsRanges.TakeBackward(in window, context.Query, gradOutput))
        {
            CrossAttentionKernels.For(gradOutput).BackwardOfWindows(
                new CrossOperands(
                    context.Query,
                    context.Key,
                    context.Value,
                    null,
                    WindowsAsRanges.Of(in window),
                    window.Heads,
                    AveragesHeads: false,
                    ScoreScale: 1,
                    ScoreNormalisation.Softmax),
                context.Normaliser,
                gradOutput,
                new CrossResults(null, gradQuery, gradKey, gradValue, null));
            return;
        }
        var problem = window.Head;
        using var ofValue = new ValueGradient<T>(gradValue, in window);
        for (int head = 0; head < window.Heads; head++)
        {
            int valueHead = window.ValueHeads > 1 ? head : 0;
            using var q = new HeadView<T>(context.Query, head, window.Heads);
            using var k = new HeadView<T>(context.Key, head, window.Heads);
            using var v = new HeadView<T>(context.Value, valueHead, window.ValueHeads);
            using var g = new HeadView<T>(gradOutput, head, window.Heads);
            using var own = window.Heads > 1 ? context.Normaliser.ChannelsOf(head, 1) : null;
            using var dq = gradQuery is null ? default : new HeadView<T>(gradQuery, head, window.Heads);
            using var dk = gradKey is null ? default : new HeadView<T>(gradKey, head, window.Heads);
            using var dv = ofValue.Open(head);
            var operands = new AttentionOperands(q.Map, k.Map, v.Map, own ?? context.Normaliser, g.Map);
            WindowKernels.For(gradOutput).Backward(
                in problem, in operands, dq.Map, dk.Map, dv.Map, ofValue.Accumulates(head));
            ofValue.Close(head);
        }
        ofValue.Complete();
    }
}
