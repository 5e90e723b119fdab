namespace SapaGpu.Operators;

/// <summary>
/// Takes the gradient of a value from the heads, one after the other: each its own channels, or the sum over heads that share
/// them. A sum of a 16-bit type is taken in single precision, of what each head has rounded, and rounded once.
/// </summary>
/// <remarks>Workspace of a 16-bit type with a shared value: 6 bytes for each of its elements.</remarks>
internal readonly ref struct ValueGradient<T>
    where T : unmanaged
{
    private readonly FeatureMap<T>? gradient;
    private readonly FeatureMap<T>? share;
    private readonly FeatureMap? sum;
    private readonly int valueHeads;

    /// <param name="gradient">The gradient of the whole value; null if it is not wanted.</param>
    /// <param name="window">The problem.</param>
    public ValueGradient(FeatureMap<T>? gradient, in HeadedWindow window)
    {
        this.gradient = gradient;
        valueHeads = window.ValueHeads;
        var type = ElementTypes.Of<T>();
        if (gradient is null || window.Heads == valueHeads || type.Accumulator() == type)
            return;
        share = FeatureMap<T>.CreateLike(gradient);
        sum = FeatureMap.Create(gradient.Device, gradient.Shape, gradient.Format, type.Accumulator());
    }

    /// <summary>Returns where a head writes its part; without a map if the gradient is not wanted.</summary>
    public HeadView<T> Open(int head) => gradient is null
        ? default
        : new HeadView<T>(share ?? gradient, valueHeads > 1 ? head : 0, valueHeads);

    /// <summary>Returns whether a head adds to what is there.</summary>
    public bool Accumulates(int head) => head > 0 && valueHeads == 1 && share is null;

    /// <summary>Takes what a head has written.</summary>
    public void Close(int head)
    {
        if (share is not null)
            Conversions.Widen(share, sum!, accumulate: head > 0);
    }

    /// <summary>Writes the gradient after the last head.</summary>
    public void Complete()
    {
        if (sum is not null)
            Conversions.Narrow(sum, gradient!);
    }

    public void Dispose()
    {
        share?.Dispose();
        sum?.Dispose();
    }
}
