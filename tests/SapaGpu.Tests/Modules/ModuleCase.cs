namespace SapaGpu.Tests.Modules;

/// <summary>
/// A module with inputs and parameters drawn at random, and what the reference makes of them. It is computed once and
/// serves every device.
/// </summary>
public abstract class ModuleCase
{
    private readonly Dictionary<string, ReferenceMap> parameters = [];
    private readonly Lazy<ReferenceMap> output;
    private readonly Lazy<IReadOnlyDictionary<string, double[]>> gradients;

    protected ModuleCase()
    {
        output = new(Forward);
        gradients = new(() => Differentiable.ToDictionary(
            pair => pair.Key, pair => Reference.Gradient(Forward, pair.Value, GradOutput)));
    }

    /// <summary>Gets the inputs by the names that vectors give them.</summary>
    public abstract IReadOnlyDictionary<string, ReferenceMap> Inputs { get; }

    /// <summary>Gets the parameters by name.</summary>
    public IReadOnlyDictionary<string, ReferenceMap> Parameters => parameters;

    /// <summary>Gets the gradient of the output.</summary>
    public abstract ReferenceMap GradOutput { get; }

    /// <summary>Gets everything that has a gradient, by name.</summary>
    public IEnumerable<KeyValuePair<string, ReferenceMap>> Differentiable => Inputs.Concat(parameters);

    /// <summary>Gets the output of the reference.</summary>
    public ReferenceMap Output => output.Value;

    /// <summary>Gets the gradients of the reference, of inputs and parameters.</summary>
    public IReadOnlyDictionary<string, double[]> Gradients => gradients.Value;

    /// <summary>The reference.</summary>
    public abstract ReferenceMap Forward();

    /// <summary>The module with initial parameters.</summary>
    public abstract UpsamplerModule<T> Create<T>(ComputeDevice device)
        where T : unmanaged;

    /// <summary>Runs the forward of the module.</summary>
    public abstract FeatureMap<T> Forward<T>(UpsamplerModule<T> module, IReadOnlyList<FeatureMap<T>> inputs)
        where T : unmanaged;

    /// <summary>Runs the forward of the module into a map.</summary>
    public abstract void Forward<T>(UpsamplerModule<T> module, IReadOnlyList<FeatureMap<T>> inputs, FeatureMap<T> output)
        where T : unmanaged;

    /// <summary>Runs forward and backward of the module.</summary>
    public abstract ModuleResults<T> Run<T>(
        UpsamplerModule<T> module, IReadOnlyList<FeatureMap<T>> inputs, FeatureMap<T> gradOutput)
        where T : unmanaged;

    /// <summary>The module with the parameters of the case.</summary>
    public UpsamplerModule<T> CreateFilled<T>(ComputeDevice device)
        where T : unmanaged
    {
        var module = Create<T>(device);
        foreach (var parameter in module.Parameters)
            parameter.Write(parameters[parameter.Name].ToArray());
        return module;
    }

    /// <summary>Compares a module with the reference.</summary>
    public void Check<T>(ComputeDevice device, MemoryFormat format, string what)
        where T : unmanaged
    {
        using var module = CreateFilled<T>(device);
        var inputs = Inputs.Values.Select(input => input.ToTensor<T>(device, format)).ToArray();
        using var gradOutput = GradOutput.ToTensor<T>(device, format);
        using (var results = Run(module, inputs, gradOutput))
        {
            using var alone = Forward(module, inputs);
            Compare.Bitwise(alone.ToArray(), results.Output.ToArray(), $"without a context, {what}");
            Near.Forward(results.Output, Output, $"output, {what}");
            foreach (var ((name, _), gradient) in Inputs.Zip(results.Inputs))
                Near.Backward(gradient, Gradients[name], $"{name}, {what}");
            foreach (var gradient in results.Parameters)
                Near.Check<T>(gradient.Read(), Gradients[gradient.Name], backward: true, $"{gradient.Name}, {what}");
        }
        foreach (var input in inputs)
            input.Dispose();
    }

    /// <summary>Draws the parameters; their names and shapes are the module's.</summary>
    protected void Draw(Random random, double magnitude)
    {
        using var module = Create<double>(TestDevices.Open("cpu"));
        foreach (var parameter in module.Parameters)
            parameters.Add(parameter.Name, ReferenceMap.Random(random, parameter.Value.Shape, magnitude));
    }
}

/// <summary>What a module computed.</summary>
public sealed record ModuleResults<T>(
    FeatureMap<T> Output, IReadOnlyList<FeatureMap<T>> Inputs, IReadOnlyList<Parameter> Parameters, IDisposable Gradients)
    : IDisposable
    where T : unmanaged
{
    public void Dispose()
    {
        Output.Dispose();
        Gradients.Dispose();
    }
}
