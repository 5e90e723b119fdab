namespace SapaGpu;

/// <summary>A learnable parameter of a module, or the gradient of one.</summary>
/// <param name="Name">The name in a PyTorch state_dict, such as "q.weight".</param>
/// <param name="Shape">The dimensions in a PyTorch state_dict, such as [64, 256].</param>
/// <param name="Value">
/// The values, in the type that the module computes in: double for double, else float. A vector [N] is the map
/// [1, N, 1, 1], a matrix [O, I] is [O, I, 1, 1]. It may share memory with its neighbours.
/// </param>
public sealed record Parameter(string Name, IReadOnlyList<int> Shape, FeatureMap Value)
{
    /// <summary>Reads the values in the order of <see cref="Shape"/>.</summary>
    public double[] Read() => Value.ReadNumbers();

    /// <summary>Writes the values in the order of <see cref="Shape"/>, rounded to the parameter's type.</summary>
    /// <exception cref="ArgumentException">The number of values is not that of the parameter.</exception>
    public void Write(ReadOnlySpan<double> values)
    {
        if (values.Length != Value.Shape.ElementCount)
        {
            throw new ArgumentException(
                $"The parameter '{Name}' has {Value.Shape.ElementCount} values; got {values.Length}.", nameof(values));
        }
        Value.WriteNumbers(values);
    }

    /// <summary>The map shape that holds dimensions of a state_dict.</summary>
    internal static MapShape ShapeOf(IReadOnlyList<int> shape) => shape.Count switch
    {
        1 => new MapShape(1, shape[0], 1, 1),
        2 => new MapShape(shape[0], shape[1], 1, 1),
        _ => new MapShape(shape[0], shape[1], shape[2], shape[3]),
    };
}
