using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// What the backward of window attention needs from the forward: query, key and value, which the context refers to but
/// does not own, and the normaliser, one number for each head and query, which it owns. A context may be reused for
/// any number of calls of the same shape and options, one after another.
/// </summary>
/// <typeparam name="T">The element type of the operands.</typeparam>
public sealed class WindowAttentionContext<T> : IDisposable
    where T : unmanaged
{
    private FeatureMap<T>? query;
    private FeatureMap<T>? key;
    private FeatureMap<T>? value;

    /// <summary>Creates a context to be filled by a forward of the given shape and options.</summary>
    /// <param name="device">The device of the operands.</param>
    /// <param name="shape">The shapes of all operands; D and C are the channels of all heads together.</param>
    /// <param name="options">
    /// Window, border, normalisation, heads; null for the defaults with the window of <paramref name="shape"/>.
    /// </param>
    /// <exception cref="ArgumentException">The window of the options is not that of the shape.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The device was disposed.</exception>
    public WindowAttentionContext(ComputeDevice device, WindowShape shape, WindowAttentionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        Shape = shape;
        Options = options ?? WindowAttentionOptions.Default with { Window = shape.Window };
        if (Options.Window != shape.Window)
        {
            throw new ArgumentException(
                $"The shape has window {shape.Window}, the options have window {Options.Window}; they must be equal.",
                nameof(options));
        }
        Normaliser = FeatureMap.Create(
            device, Window.NormaliserShape, MemoryFormat.Contiguous, ElementTypes.Of<T>().Accumulator());
    }

    /// <summary>
    /// Restores the context of an earlier forward from its operands and its normaliser, for callers that keep them
    /// themselves.
    /// </summary>
    /// <param name="query">The query of the forward, [B, D, OH, OW].</param>
    /// <param name="key">The key of the forward, [B, D, H, W].</param>
    /// <param name="value">The value of the forward, [B, C, H, W].</param>
    /// <param name="normaliser">
    /// The <see cref="Normaliser"/> that the forward wrote, [B, heads, OH, OW]; the context takes ownership of it.
    /// </param>
    /// <param name="options">The options of the forward; null for the defaults.</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, or the element type of the normaliser is wrong.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">
    /// The window, the ratio of the sizes or the element type is not supported; the message lists every reason.
    /// </exception>
    /// <exception cref="ObjectDisposedException">A map or its device was disposed.</exception>
    public WindowAttentionContext(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        FeatureMap normaliser,
        WindowAttentionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(normaliser);
        Options = options ?? WindowAttentionOptions.Default;
        var window = WindowAttention.CheckInputs(query, key, value, Options);
        Shape = window.Shape;
        Operand q = new(nameof(query), query), k = new(nameof(key), key), v = new(nameof(value), value);
        Operand n = new(nameof(normaliser), normaliser);
        OperandChecks.SameDevice(q, k, v, n);
        OperandChecks.Shape(nameof(normaliser), normaliser, window.NormaliserShape, q, k, v, n);
        OperandChecks.Accumulator<T>(n);
        Normaliser = normaliser;
        Fill(query, key, value);
    }

    /// <summary>Gets the shapes of the operands.</summary>
    public WindowShape Shape { get; }

    /// <summary>Gets window, border, normalisation and heads.</summary>
    public WindowAttentionOptions Options { get; }

    /// <summary>
    /// Gets the normaliser of each head and query, [B, heads, OH, OW]: for softmax the log-sum-exp of the scores of the
    /// window, otherwise the sum of its unnormalised weights. Its elements are double for maps of double, otherwise
    /// float.
    /// </summary>
    public FeatureMap Normaliser { get; }

    /// <summary>Gets the query of the last forward.</summary>
    /// <exception cref="InvalidOperationException">No forward has filled the context.</exception>
    public FeatureMap<T> Query => query ?? throw Empty();

    /// <summary>Gets the key of the last forward.</summary>
    /// <exception cref="InvalidOperationException">No forward has filled the context.</exception>
    public FeatureMap<T> Key => key ?? throw Empty();

    /// <summary>Gets the value of the last forward.</summary>
    /// <exception cref="InvalidOperationException">No forward has filled the context.</exception>
    public FeatureMap<T> Value => value ?? throw Empty();

    internal HeadedWindow Window => new(Shape, Options);

    /// <summary>Disposes the normaliser; query, key and value stay with the caller.</summary>
    public void Dispose() => Normaliser.Dispose();

    internal void Fill(FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> value)
    {
        this.query = query;
        this.key = key;
        this.value = value;
    }

    private static InvalidOperationException Empty() =>
        new("No forward has filled the context; pass it to WindowAttention.Forward first.");
}
