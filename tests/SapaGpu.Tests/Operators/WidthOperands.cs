namespace SapaGpu.Tests.Operators;

/// <summary>
/// Operands drawn one after the other, the same for every device, type and format, rounded to the type that is tested;
/// and the results that were computed from them.
/// </summary>
public sealed class WidthOperands<T>(
    ComputeDevice device, MemoryFormat format, Func<ReferenceMap, ReferenceMap> round) : IDisposable
    where T : unmanaged
{
    private readonly Random random = new(5);
    private readonly List<IDisposable> owned = [];

    public ComputeDevice Device => device;

    public MemoryFormat Format => format;

    public List<WidthResult> Results { get; } = [];

    public FeatureMap<T> Next(
        MapShape shape) => Own(round(ReferenceMap.Random(random, shape)).ToTensor<T>(device, format));

    /// <summary>Gives the parameters of a module values of a size that results depend on.</summary>
    public void Fill(UpsamplerModule<T> module)
    {
        Own(module);
        foreach (var parameter in module.Parameters)
            parameter.Write(ReferenceMap.Random(random, parameter.Value.Shape, magnitude: 0.4).ToArray());
    }

    public ReferenceMap Round(ReferenceMap map) => round(map);

    public void Add(string name, FeatureMap<T> output) => Results.Add(new(name, Compare.Values(Own(output)), false));

    public void AddGradient(string name, FeatureMap<T> gradient) =>
        Results.Add(new(name, Compare.Values(Own(gradient)), true));

    public void AddGradients(IEnumerable<Parameter> gradients) =>
        Results.AddRange(gradients.Select(gradient => new WidthResult(gradient.Name, gradient.Read(), true)));

    /// <summary>Disposes something with the operands.</summary>
    public TOwned Own<TOwned>(TOwned disposable)
        where TOwned : IDisposable
    {
        owned.Add(disposable);
        return disposable;
    }

    public void Dispose()
    {
        for (int i = owned.Count - 1; i >= 0; i--)
            owned[i].Dispose();
    }
}

/// <summary>A result, contiguous.</summary>
public sealed record WidthResult(string Name, double[] Values, bool IsGradient);
