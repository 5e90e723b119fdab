namespace SapaGpu.Fuzz.Problems;

/// <summary>The operands of a problem on a device, which several runs may share, and what it prepares once.</summary>
internal sealed class ProblemMaps<T> : IDisposable
    where T : unmanaged
{
    private readonly List<IDisposable> owned = [];
    private readonly List<Action> checks = [];

    public ProblemMaps(ComputeDevice device, OperatorProblem problem)
    {
        Device = device;
        Inputs = [.. problem.Operands.Select(operand => operand.IsParameter ? Parameter(operand) : Place(operand))];
        GradOutput = Place(problem.GradOutput);
        Prepared = problem.Prepare<T>(device);
        if (Prepared is not null)
            owned.Add(Prepared);
    }

    public ComputeDevice Device { get; }

    public IReadOnlyList<FeatureMap> Inputs { get; }

    public FeatureMap<T> GradOutput { get; }

    /// <summary>Gets the module of a problem that has one.</summary>
    public IDisposable? Prepared { get; }

    /// <summary>Gets everything that may be disposed while it is in use.</summary>
    public IReadOnlyList<IDisposable> Owned => owned;

    /// <summary>Fails where an operator wrote beside an operand.</summary>
    public void CheckSurroundings()
    {
        foreach (var check in checks)
            check();
    }

    public void Dispose()
    {
        foreach (var one in owned)
            one.Dispose();
    }

    private FeatureMap<T> Place(Operand operand)
    {
        var map = new PlacedMap<T>(Device, operand.Shape, operand.Placement, operand.Values);
        owned.Add(map);
        checks.Add(() => map.CheckSurroundings(operand.Name));
        return map.View;
    }

    private FeatureMap Parameter(Operand operand)
    {
        FeatureMap map = typeof(T) == typeof(double)
            ? operand.Values.ToTensor<double>(Device, MemoryFormat.Contiguous)
            : operand.Values.ToTensor<float>(Device, MemoryFormat.Contiguous);
        owned.Add(map);
        return map;
    }
}
