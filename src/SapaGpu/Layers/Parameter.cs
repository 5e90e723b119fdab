namespace SapaGpu;

/// <summary>A learnable parameter of a module, or the gradient of one.</summary>
/// <param name="Name">The name in a PyTorch state_dict, such as "q.weight".</param>
/// <param name="Shape">The dimensions in a PyTorch state_dict, such as [64, 256].</param>
/// <param name="Value">
/// The values, double for a module of double, otherwise float. A vector [N] is the map [1, N, 1, 1], a matrix [O, I] is
/// the map [O, I, 1, 1]. The map may be a view into memory that several parameters share.
/// </param>
public sealed record Parameter(string Name, IReadOnlyList<int> Shape, FeatureMap Value)
{
    /// <summary>Reads the values in the order of <see cref="Shape"/>, when the device has computed them.</summary>
    /// <returns>The values, one for each element.</returns>
    /// <exception cref="ObjectDisposedException">The parameter or its device was disposed.</exception>
    public double[] Read() => Value.ReadNumbers();

    /// <summary>Writes the values in the order of <see cref="Shape"/>, rounded to the parameter's type.</summary>
    /// <param name="values">The values, one for each element.</param>
    /// <exception cref="ArgumentException">There are not as many values as the parameter has elements.</exception>
    /// <exception cref="ObjectDisposedException">The parameter or its device was disposed.</exception>
    public void Write(ReadOnlySpan<double> values)
    {
        if (values.Length != Value.Shape.ElementCount)
        {
            throw new ArgumentException(
                $"The parameter '{Name}' has {Value.Shape.ElementCount} values; got {values.Length}.", nameof(values));
        }
        Value.WriteNumbers(values);
    }

    /// <summary>Finds a parameter by its name.</summary>
    /// <exception cref="KeyNotFoundException">None has this name; the message lists the names.</exception>
    internal static Parameter Find(IReadOnlyList<Parameter> parameters, string name) =>
        parameters.FirstOrDefault(parameter => parameter?.Name == name)
            ?? throw new KeyNotFoundException(
                $"There is no parameter '{name}'; there are {string.Join(", ", parameters.Select(p => p?.Name))}.");

    /// <summary>Returns the shape of the map for the dimensions of a state_dict.</summary>
    internal static MapShape ShapeOf(IReadOnlyList<int> shape) => shape.Count switch
    {
        1 => new MapShape(1, shape[0], 1, 1),
        2 => new MapShape(shape[0], shape[1], 1, 1),
        _ => new MapShape(shape[0], shape[1], shape[2], shape[3]),
    };
}
