using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// What the backward of window attention needs of the forward: the operands, which it refers to and does not own, and
/// one number for every head and query, which it owns. One context may serve any number of calls of the same problem,
/// one after the other.
/// </summary>
/// <typeparam name="T">The element type of the operands.</typeparam>
public sealed class WindowAttentionContext<T> : IDisposable
    where T : unmanaged
{
    private FeatureMap<T>? query;
    private FeatureMap<T>? key;
    private FeatureMap<T>? value;

    /// <summary>Creates a context that a forward of the given problem can fill.</summary>
    /// <param name="device">The device of the operands.</param>
    /// <param name="shape">The problem.</param>
    /// <param name="options">
    /// Window, border, normalisation, heads; null for the defaults with the window of the problem.
    /// </param>
    /// <exception cref="ArgumentException">The options have another window than the problem.</exception>
    public WindowAttentionContext(ComputeDevice device, WindowShape shape, WindowAttentionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        Shape = shape;
        Options = options ?? WindowAttentionOptions.Default with { Window = shape.Window };
        if (Options.Window != shape.Window)
        {
            throw new ArgumentException(
                $"The problem has window {shape.Window}, the options have window {Options.Window}.", nameof(options));
        }
        Normaliser = FeatureMap.Create(
            device, Window.NormaliserShape, MemoryFormat.Contiguous, ElementTypes.Of<T>().Accumulator());
    }

    /// <summary>
    /// Creates the context of a forward that has been, from what a caller with memory of its own has kept of it.
    /// </summary>
    /// <param name="query">The query of the forward, [B, D, OH, OW].</param>
    /// <param name="key">The key of the forward, [B, D, H, W].</param>
    /// <param name="value">The value of the forward, [B, C, H, W].</param>
    /// <param name="normaliser">
    /// What a context of the forward had as its <see cref="Normaliser"/>, [B, heads, OH, OW]; it is the context's from
    /// now on.
    /// </param>
    /// <param name="options">The options of the forward; null for the defaults.</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not belong together, or the normaliser has another type.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">Window, scale or element type are not supported.</exception>
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

    /// <summary>Gets the problem.</summary>
    public WindowShape Shape { get; }

    /// <summary>Gets the choices that the problem is computed with.</summary>
    public WindowAttentionOptions Options { get; }

    /// <summary>
    /// Gets what the unnormalised weights of every query's scores were divided by, [B, heads, OH, OW]: of the softmax
    /// its logarithm, the log-sum-exp. It is in the type of the accumulation, double for double and else float.
    /// </summary>
    public FeatureMap Normaliser { get; }

    /// <summary>Gets the query of the last forward.</summary>
    public FeatureMap<T> Query => query ?? throw Empty();

    /// <summary>Gets the key of the last forward.</summary>
    public FeatureMap<T> Key => key ?? throw Empty();

    /// <summary>Gets the value of the last forward.</summary>
    public FeatureMap<T> Value => value ?? throw Empty();

    internal HeadedWindow Window => new(Shape, Options);

    /// <summary>Releases what the context owns.</summary>
    public void Dispose() => Normaliser.Dispose();

    internal void Fill(FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> value)
    {
        this.query = query;
        this.key = key;
        this.value = value;
    }

    private static InvalidOperationException Empty() =>
        new("The context has seen no forward yet; call WindowAttention.Forward with it first.");
}
