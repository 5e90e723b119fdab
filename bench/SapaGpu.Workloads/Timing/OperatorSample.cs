namespace SapaGpu.Workloads;

/// <summary>An operand or a result, copied to the host.</summary>
/// <param name="Name">The name of the operand.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Values">Its values in row-major order.</param>
internal sealed record HostArray(string Name, IReadOnlyList<int> Shape, double[] Values)
{
    /// <summary>Copies a map that is known by its place.</summary>
    public static HostArray Of<T>(FeatureMap<T> tensor)
        where T : unmanaged => Of("", tensor);

    /// <summary>Copies a map.</summary>
    public static HostArray Of<T>(string name, FeatureMap<T> tensor)
        where T : unmanaged
    {
        var shape = tensor.Shape;
        var values = Array.ConvertAll(tensor.ToArray(MemoryFormat.Contiguous), ElementTypes.ToDouble);
        return new HostArray(name, [shape.Batch, shape.Channels, shape.Height, shape.Width], values);
    }

    /// <summary>Copies parameters, or their gradients.</summary>
    public static IEnumerable<HostArray> Of(IEnumerable<Parameter> parameters) =>
        parameters.Select(parameter => new HostArray(parameter.Name, parameter.Shape, parameter.Read()));
}

/// <summary>The operands of an operator and what it made of them.</summary>
/// <param name="Inputs">The inputs and parameters.</param>
/// <param name="GradOutput">The gradient of the output.</param>
/// <param name="Output">The output.</param>
/// <param name="Gradients">The gradients of inputs and parameters, by the same names.</param>
internal sealed record OperatorSample(
    IReadOnlyList<HostArray> Inputs, HostArray GradOutput, HostArray Output, IReadOnlyList<HostArray> Gradients);
