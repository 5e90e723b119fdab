namespace SapaGpu;

/// <summary>
/// What the backward of window attention needs of the forward: the operands, which it refers to and does not own, and
/// the logarithm of the softmax denominator of every query, which it owns. One context may serve any number of calls
/// of the same problem, one after the other.
/// </summary>
/// <typeparam name="T">The element type of the operands.</typeparam>
public sealed class WindowAttentionContext<T> : IDisposable
    where T : unmanaged
{
    private Tensor<T>? query;
    private Tensor<T>? key;
    private Tensor<T>? value;

    /// <summary>Creates a context that a forward of the given problem can fill.</summary>
    /// <param name="device">The device of the operands.</param>
    /// <param name="shape">The problem.</param>
    /// <param name="border">What taps outside the decoder map count for.</param>
    public WindowAttentionContext(Device device, WindowShape shape, BorderRule border = BorderRule.ZeroLogit)
    {
        ArgumentNullException.ThrowIfNull(device);
        Shape = shape;
        Border = border;
        LogSumExp = Launch.WindowKernels<T>.Instance.CreateLogSumExp(device, in shape);
    }

    /// <summary>Gets the problem.</summary>
    public WindowShape Shape { get; }

    /// <summary>Gets what taps outside the decoder map count for.</summary>
    public BorderRule Border { get; }

    /// <summary>
    /// Gets the log-sum-exp, [B, 1, s·H, s·W], in the type of the accumulation: float for float, double for double.
    /// </summary>
    public Tensor LogSumExp { get; }

    /// <summary>Gets the query of the last forward.</summary>
    public Tensor<T> Query => query ?? throw Empty();

    /// <summary>Gets the key of the last forward.</summary>
    public Tensor<T> Key => key ?? throw Empty();

    /// <summary>Gets the value of the last forward.</summary>
    public Tensor<T> Value => value ?? throw Empty();

    /// <summary>Releases the log-sum-exp.</summary>
    public void Dispose() => LogSumExp.Dispose();

    internal void Fill(Tensor<T> query, Tensor<T> key, Tensor<T> value)
    {
        this.query = query;
        this.key = key;
        this.value = value;
    }

    private static InvalidOperationException Empty() =>
        new("The context has seen no forward yet; call WindowAttention.Forward with it first.");
}
