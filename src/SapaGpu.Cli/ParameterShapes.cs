using SapaGpu.Checkpoints;

namespace SapaGpu.Cli;

/// <summary>The sizes of a module's parameters in a checkpoint.</summary>
internal sealed class ParameterShapes
{
    private const int ShownNames = 5;

    private readonly string path;
    private readonly string prefix;
    private readonly string name;

    /// <summary>Reads a checkpoint.</summary>
    /// <param name="path">The file.</param>
    /// <param name="prefix">The beginning of the parameters' names.</param>
    /// <param name="name">The name of the module in messages.</param>
    /// <param name="expected">Names that tell the module's dictionary from others in the file.</param>
    /// <exception cref="InvalidDataException">The file is not a checkpoint.</exception>
    public ParameterShapes(string path, string prefix, string name, IReadOnlyCollection<string> expected)
    {
        (this.path, this.prefix, this.name) = (path, prefix, name);
        State = StateDict.Query(path, new StateQuery(prefix, expected));
    }

    /// <summary>The parameters.</summary>
    public StateDict State { get; }

    /// <summary>A dimension of a parameter.</summary>
    /// <exception cref="InvalidDataException">The parameter is missing, or has too few dimensions.</exception>
    public int Of(string parameter, int dimension)
    {
        if (!State.TryGetValue(parameter, out var entry))
        {
            string names = string.Join(", ", State.Known.Take(ShownNames));
            throw new InvalidDataException(
                $"{path}: there is no parameter {prefix}{parameter}, which {name} has; --prefix says how the names of its " +
                $"parameters begin. There are: {names}{(State.Known.Count > ShownNames ? ", …" : string.Empty)}");
        }
        return entry.Shape.Count > dimension
            ? entry.Shape[dimension]
            : throw new InvalidDataException(
                $"{path}: {prefix}{parameter} has {entry.Shape.Count} dimensions, too few for a parameter of {name}.");
    }

    /// <summary>The width of a square kernel, the dimensions from 2 on.</summary>
    /// <exception cref="InvalidDataException">The parameter is missing, or no square kernel.</exception>
    public int SquareKernel(string parameter)
    {
        int width = Of(parameter, 2);
        return Of(parameter, 3) == width
            ? width
            : throw new InvalidDataException(
                $"{path}: the kernel of {prefix}{parameter} is {width}x{Of(parameter, 3)}; it must be square.");
    }
}
