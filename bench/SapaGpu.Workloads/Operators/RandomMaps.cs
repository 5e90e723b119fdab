namespace SapaGpu.Workloads;

/// <summary>Makes maps with reproducible random values.</summary>
internal sealed class RandomMaps<T>(ComputeDevice device, MemoryFormat format)
    where T : unmanaged
{
    // Large maps repeat so many random values, no power of two, so that rows and images differ.
    private const int Distinct = (1 << 20) + 7;

    private readonly Random random = new(1);

    public ComputeDevice Device => device;

    public FeatureMap<T> Create(MapShape shape, double magnitude = 1.0) =>
        Create(shape, () => (random.NextDouble() - 0.5) * magnitude);

    /// <summary>Makes a map of NaN, so that a value that is not written shows.</summary>
    public FeatureMap<T> CreateResult(MapShape shape) => Create(shape, () => double.NaN);

    private FeatureMap<T> Create(MapShape shape, Func<double> next)
    {
        var type = ElementTypes.Of<T>();
        var values = new T[shape.ElementCount];
        int distinct = Math.Min(values.Length, Distinct);
        for (int i = 0; i < distinct; i++)
            values[i] = ElementTypes.FromDouble<T>(next());
        for (int i = distinct; i < values.Length; i += distinct)
            values.AsSpan(0, Math.Min(distinct, values.Length - i)).CopyTo(values.AsSpan(i));
        return FeatureMap<T>.From(device, shape, values, format);
    }
}
