namespace SapaGpu.Tests.Operators;

/// <summary>A problem of cross-resolution attention on a device.</summary>
public sealed class CrossRun<T> : IDisposable
    where T : unmanaged
{
    private readonly List<IDisposable> owned = [];

    public CrossRun(ComputeDevice device, CrossCase operands)
    {
        var (query, key, value) = operands.Problem.Formats;
        Options = operands.Options;
        Ranges = operands.Ranges;
        Query = Own(operands.Query.ToTensor<T>(device, query));
        Key = Own(operands.Key.ToTensor<T>(device, key));
        Value = Own(operands.Value.ToTensor<T>(device, value));
        Bias = operands.Bias is null ? null : Own(operands.Bias.ToTensor<T>(device, key));
        GradOutput = Own(operands.GradOutput.ToTensor<T>(device, query));
    }

    public CrossAttentionOptions Options { get; }

    public WindowRanges Ranges { get; }

    public FeatureMap<T> Query { get; }

    public FeatureMap<T> Key { get; }

    public FeatureMap<T> Value { get; }

    public FeatureMap<T>? Bias { get; }

    public FeatureMap<T> GradOutput { get; }

    /// <summary>The output, and a context that is disposed with the run.</summary>
    public FeatureMap<T> Forward(out CrossAttentionContext<T> context)
    {
        var output = CrossAttention.Forward(Query, Key, Value, Ranges, Options, Bias, out context);
        owned.Add(context);
        return Own(output);
    }

    /// <summary>Output and gradients of query, key, value and bias.</summary>
    public IReadOnlyList<double[]> Results()
    {
        var output = Forward(out var context);
        using var gradients = CrossAttention.Backward(context, GradOutput);
        return
        [
            Compare.Values(output),
            Compare.Values(gradients.Query!),
            Compare.Values(gradients.Key!),
            Compare.Values(gradients.Value!),
            .. gradients.KeyBias is null ? Array.Empty<double[]>() : [Compare.Values(gradients.KeyBias)],
        ];
    }

    public void Dispose()
    {
        foreach (var item in owned)
            item.Dispose();
    }

    private TItem Own<TItem>(TItem item)
        where TItem : IDisposable
    {
        owned.Add(item);
        return item;
    }
}
