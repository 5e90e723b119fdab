using System.Runtime.CompilerServices;

namespace SapaGpu.Layers;

/// <summary>The parameters of a module, or their gradients: maps by name, in the order of a state_dict.</summary>
internal sealed class ParameterSet : IDisposable
{
    private readonly Dictionary<string, FeatureMap> values = [];
    private readonly Dictionary<string, FeatureMap> stacks = [];
    private readonly Dictionary<(string Name, int First, int Count), FeatureMap> columns = [];
    private readonly List<Parameter> parameters = [];
    private readonly ConditionalWeakTable<ComputeDevice, ParameterSet> shared = [];
    private readonly ComputeDevice device;
    private readonly ElementType elementType;

    /// <summary>Allocates the parameters; their values are arbitrary.</summary>
    public ParameterSet(ComputeDevice device, ElementType elementType, IReadOnlyList<ParameterSpec> specs)
    {
        this.device = device;
        this.elementType = elementType;
        Specs = specs;
        foreach (var stack in specs.Where(spec => spec.Stack is not null).GroupBy(spec => spec.Stack!))
            AddStack(stack.Key, [.. stack]);
        foreach (var spec in specs)
        {
            if (spec.Stack is null)
                values.Add(spec.Name, Create(Parameter.ShapeOf(spec.Shape)));
            parameters.Add(new Parameter(spec.Name, spec.Shape, values[spec.Name]));
        }
    }

    /// <summary>Takes parameters that lie elsewhere; there are no stacks of them.</summary>
    /// <param name="specs">What they are.</param>
    /// <param name="maps">Their maps, in this order, of one device and type; the set disposes them.</param>
    public ParameterSet(IReadOnlyList<ParameterSpec> specs, IReadOnlyList<FeatureMap> maps)
    {
        device = maps[0].Device;
        elementType = maps[0].ElementType;
        Specs = specs;
        for (int i = 0; i < specs.Count; i++)
        {
            values.Add(specs[i].Name, maps[i]);
            parameters.Add(new Parameter(specs[i].Name, specs[i].Shape, maps[i]));
        }
    }

    // The same parameters for calls on another stream.
    private ParameterSet(ParameterSet original, ComputeDevice device)
    {
        this.device = device;
        elementType = original.elementType;
        Specs = original.Specs;
        foreach (var (name, stack) in original.stacks)
            stacks.Add(name, stack.SharedOn(device));
        foreach (var parameter in original.parameters)
        {
            values.Add(parameter.Name, parameter.Value.SharedOn(device));
            parameters.Add(parameter with { Value = values[parameter.Name] });
        }
    }

    public IReadOnlyList<ParameterSpec> Specs { get; }

    public IReadOnlyList<Parameter> Parameters => parameters;

    public FeatureMap this[string name] => values[name];

    /// <summary>Finds a parameter by its name; null if there is none.</summary>
    public FeatureMap? Find(string name) => values.GetValueOrDefault(name);

    /// <summary>Returns all parameters of a stack as one map; null if there is no such stack.</summary>
    public FeatureMap? Stack(string name) => stacks.GetValueOrDefault(name);

    /// <summary>Returns the parameters for calls on another stream of the device, in the same memory; the set owns them.</summary>
    public ParameterSet On(ComputeDevice target)
    {
        if (target.SharesQueueWith(device))
            return this;
        if (shared.TryGetValue(target, out var known))
            return known;
        lock (shared)
        {
            if (!shared.TryGetValue(target, out known))
                shared.Add(target, known = new ParameterSet(this, target));
            return known;
        }
    }

    /// <summary>Returns a view of some columns of a matrix, which the set owns.</summary>
    public FeatureMap Columns(string name, int first, int count)
    {
        lock (columns)
        {
            if (!columns.TryGetValue((name, first, count), out var view))
            {
                view = values[name].ChannelsOf(first, count);
                columns.Add((name, first, count), view);
            }
            return view;
        }
    }

    /// <summary>Hands the parameters to the caller, who disposes them, and disposes the views of the set.</summary>
    public IReadOnlyList<Parameter> HandOver()
    {
        foreach (var stack in stacks.Values)
            stack.Dispose();

        // Another thread may be in a call that takes columns.
        lock (columns)
        {
            foreach (var view in columns.Values)
                view.Dispose();
        }
        return parameters;
    }

    /// <summary>Creates a set for the gradients of these parameters, with the same memory layout.</summary>
    public ParameterSet CreateLike() => new(device, elementType, Specs);

    /// <summary>Sets the initial values.</summary>
    public void Initialise(Random random)
    {
        foreach (var spec in Specs)
        {
            var value = values[spec.Name];
            var initial = new double[value.Shape.ElementCount];
            if (spec.Values is { } given)
                initial = [.. given];
            else if (spec.Constant is { } constant)
                Array.Fill(initial, constant);
            else
                Initialisation.TruncatedNormal(initial, spec.Deviation, random);
            value.WriteNumbers(initial);
        }
    }

    public void Dispose()
    {
        ReleaseShared();
        foreach (var value in HandOver())
            value.Value.Dispose();
    }

    // The memory goes to calls on the stream of this set, and other streams may still read it.
    private void ReleaseShared()
    {
        bool isShared = false;
        foreach (var (_, set) in shared)
        {
            set.Dispose();
            isShared = true;
        }
        if (isShared)
            device.FinishQuietly();
    }

    // Matrices are stacked by their rows, vectors by their elements.
    private void AddStack(string name, ParameterSpec[] members)
    {
        var shapes = Array.ConvertAll(members, member => Parameter.ShapeOf(member.Shape));
        bool isMatrix = members[0].Shape.Count > 1;
        var whole = Create(isMatrix
            ? new MapShape(Sum(name, shapes, shape => shape.Batch), shapes[0].Channels, 1, 1)
            : new MapShape(1, Sum(name, shapes, shape => shape.Channels), 1, 1));
        stacks.Add(name, whole);
        int first = 0;
        for (int i = 0; i < members.Length; i++)
        {
            int count = isMatrix ? shapes[i].Batch : shapes[i].Channels;
            values.Add(members[i].Name, isMatrix ? whole.ImagesOf(first, count) : whole.ChannelsOf(first, count));
            first += count;
        }
    }

    private static int Sum(string name, MapShape[] shapes, Func<MapShape, long> count)
    {
        long sum = shapes.Sum(count);
        return sum <= int.MaxValue
            ? (int)sum
            : throw new ArgumentException(
                $"The parameters '{name}' have {sum:N0} channels together, more than {int.MaxValue:N0}; use fewer.");
    }

    private FeatureMap Create(MapShape shape) => FeatureMap.Create(device, shape, MemoryFormat.Contiguous, elementType);
}
