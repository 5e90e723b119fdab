using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>A module: its inputs, then its parameters.</summary>
internal abstract class ModuleProblem(Draw draw, Draw kernel) : OperatorProblem(draw, kernel)
{
    // Only tells names and shapes of parameters.
    private static readonly Lazy<ComputeDevice> Names = new(() => ComputeDevice.Open(DeviceKind.Cpu));

    private readonly Dictionary<string, ReferenceMap> parameters = [];

    protected IReadOnlyDictionary<string, ReferenceMap> Parameters => parameters;

    protected int InputCount { get; private set; }

    // Query, key and what comes of them are rounded to 16 bits on their way.
    public override double Roundings(ElementType type, bool backward) => type.Size() == sizeof(ushort) ? 8 : 4;

    public override IDisposable Prepare<T>(ComputeDevice device)
    {
        var module = Create<T>(device);
        foreach (var parameter in module.Parameters)
            parameter.Write(parameters[parameter.Name].ToArray());
        return module;
    }

    /// <summary>Adds the parameters of the module behind its inputs.</summary>
    protected void AddParameters(double magnitude)
    {
        InputCount = Operands.Count;
        using var module = Create<double>(Names.Value);
        foreach (var parameter in module.Parameters)
        {
            int number = AddParameter(parameter.Name, parameter.Value.Shape, magnitude);
            Operands[number] = Operands[number] with { Flag = Gradients.None };
            parameters.Add(parameter.Name, Operands[number].Values);
        }
    }

    protected void TakeParameters<T>(Execution<T> run, IReadOnlyList<Parameter> gradients)
        where T : unmanaged
    {
        foreach (var gradient in gradients)
        {
            int number = Operands.FindIndex(InputCount, operand => operand.Name == gradient.Name);
            if (number < 0)
                throw new FuzzFailureException($"There is a gradient of '{gradient.Name}', which is no parameter.");
            run.Gradient(number, gradient.Value);
        }
    }

    protected abstract UpsamplerModule<T> Create<T>(ComputeDevice device)
        where T : unmanaged;
}
