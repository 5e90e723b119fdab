using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>What one run of a problem computed, in contiguous order and double precision.</summary>
/// <param name="Name">The name of the output, or of the operand whose gradient it is.</param>
/// <param name="Operand">The number of the operand whose gradient it is; -1 for the output.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Values">Its values.</param>
internal sealed record Result(string Name, int Operand, MapShape Shape, double[] Values);

/// <summary>One forward and backward of a problem.</summary>
internal sealed class Execution<T>(OperatorProblem problem, ProblemMaps<T> maps) : IDisposable
    where T : unmanaged
{
    private readonly List<IDisposable> owned = [];
    private readonly List<Action> checks = [];
    private readonly List<(string Name, int Operand, FeatureMap Map)> results = [];

    public ComputeDevice Device => maps.Device;

    public FeatureMap<T> GradOutput => maps.GradOutput;

    public IDisposable Prepared => maps.Prepared ?? throw new InvalidOperationException("Nothing was prepared.");

    /// <summary>Gets a map among the operands.</summary>
    public FeatureMap<T> this[int operand] => (FeatureMap<T>)maps.Inputs[operand];

    /// <summary>Gets a parameter among the operands; null where there is none.</summary>
    public FeatureMap? Parameter(int operand) => operand < 0 ? null : maps.Inputs[operand];

    /// <summary>Makes a map of the caller for the output.</summary>
    public FeatureMap<T> Own(MapShape shape)
    {
        var map = Place("output", shape, problem.GradOutput.Placement);
        results.Add(("output", -1, map));
        return map;
    }

    /// <summary>Makes a map of the caller for the gradient of an operand, where it is wanted.</summary>
    public FeatureMap<T>? OwnGradient(int operand)
    {
        if (!problem.Wants(operand))
            return null;
        var own = problem.Operands[operand];
        var map = Place(own.Name, own.Shape, own.Placement);
        results.Add((own.Name, operand, map));
        return map;
    }

    /// <summary>Makes a map of the caller in the type of the arithmetic.</summary>
    public FeatureMap Temporary(MapShape shape) => Keep(
        FeatureMap.Create(Device, shape, MemoryFormat.Contiguous, ElementTypes.Of<T>().Accumulator()));

    /// <summary>Makes a map of the caller for the gradient of a parameter, where there is one.</summary>
    public FeatureMap? OwnParameterGradient(int operand)
    {
        if (operand < 0)
            return null;
        var map = Temporary(problem.Operands[operand].Shape);
        results.Add((problem.Operands[operand].Name, operand, map));
        return map;
    }

    /// <summary>Takes the output that an operator allocated.</summary>
    public void Output(FeatureMap<T> map) => results.Add(("output", -1, Keep(map)));

    /// <summary>Takes the gradient that an operator allocated: one for every gradient that is wanted, and no other.</summary>
    public void Gradient(int operand, FeatureMap? map)
    {
        if (operand < 0)
            return;
        var own = problem.Operands[operand];
        if (map is null == problem.Wants(operand))
            throw new FuzzFailureException($"The gradient of '{own.Name}' is {(map is null ? "missing" : "not wanted")}.");
        if (map is not null)
            results.Add((own.Name, operand, map));
    }

    public TOwned Keep<TOwned>(TOwned one)
        where TOwned : IDisposable
    {
        owned.Add(one);
        return one;
    }

    /// <summary>Reads everything that was computed; around maps of the caller nothing may have been written.</summary>
    public IReadOnlyList<Result> Read()
    {
        foreach (var check in checks)
            check();
        return [.. results.Select(result => new Result(result.Name, result.Operand, result.Map.Shape, Numbers(result.Map)))];
    }

    public void Dispose()
    {
        foreach (var one in owned)
            one.Dispose();
    }

    private FeatureMap<T> Place(string name, MapShape shape, Placement placement)
    {
        var map = Keep(new PlacedMap<T>(Device, shape, placement, null));
        checks.Add(() => map.CheckSurroundings(name));
        return map.View;
    }

    private static double[] Numbers(FeatureMap map) => map switch
    {
        FeatureMap<double> doubles => doubles.ToArray(MemoryFormat.Contiguous),
        FeatureMap<float> floats => Array.ConvertAll(floats.ToArray(MemoryFormat.Contiguous), value => (double)value),
        FeatureMap<T> others => Array.ConvertAll(others.ToArray(MemoryFormat.Contiguous), ElementTypes.ToDouble),
        _ => throw new NotSupportedException($"{map} is not read."),
    };
}
