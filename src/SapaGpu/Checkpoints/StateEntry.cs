using SapaGpu.Checkpoints;

namespace SapaGpu;

/// <summary>A tensor of a checkpoint: a name, dimensions and numbers, in host memory.</summary>
public sealed class StateEntry
{
    private readonly int[] dimensions;

    /// <summary>Creates an entry, which keeps the bytes without copying them.</summary>
    /// <param name="name">The name in the state_dict, such as "q.weight".</param>
    /// <param name="shape">The dimensions; none for a scalar.</param>
    /// <param name="type">The type of the numbers.</param>
    /// <param name="bytes">The numbers, little-endian, the last dimension contiguous.</param>
    /// <exception cref="ArgumentException">A dimension is negative, or the bytes are too few or too many.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such type.</exception>
    public StateEntry(string name, ReadOnlySpan<int> shape, CheckpointType type, ReadOnlyMemory<byte> bytes)
        : this(name, shape.ToArray(), type, bytes)
    {
    }

    internal StateEntry(string name, int[] dimensions, CheckpointType type, ReadOnlyMemory<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Enum.IsDefined(type))
            throw new ArgumentOutOfRangeException(nameof(type), type, "There is no such type.");
        CheckDimensions(name, dimensions);
        if (bytes.Length != (Int128)StateShape.ElementCount(dimensions) * type.ByteSize())
        {
            throw new ArgumentException(
                $"'{name}' of shape {StateShape.Text(dimensions)} and type {type} does not fill " +
                $"{bytes.Length:N0} bytes.",
                nameof(bytes));
        }
        this.dimensions = dimensions;
        Name = name;
        Shape = Array.AsReadOnly(dimensions);
        Type = type;
        Bytes = bytes;
    }

    /// <summary>Gets the name in the state_dict.</summary>
    public string Name { get; }

    /// <summary>Gets the dimensions; none for a scalar.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>Gets the type of the numbers.</summary>
    public CheckpointType Type { get; }

    /// <summary>Gets the numbers as they are stored: little-endian, the last dimension contiguous.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Gets the dimensions as PyTorch writes them.</summary>
    internal string ShapeText => StateShape.Text(dimensions);

    /// <summary>Creates an entry from numbers.</summary>
    /// <param name="name">The name in the state_dict.</param>
    /// <param name="shape">The dimensions; none for a scalar.</param>
    /// <param name="values">The numbers, the last dimension contiguous.</param>
    /// <param name="type">
    /// The type to store, rounded to nearest even. Whole numbers are clamped to their range; true is what is not zero.
    /// </param>
    /// <exception cref="ArgumentException">The number of values is not that of the shape.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such type.</exception>
    public static StateEntry FromDoubles(
        string name, ReadOnlySpan<int> shape, ReadOnlySpan<double> values, CheckpointType type)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Enum.IsDefined(type))
            throw new ArgumentOutOfRangeException(nameof(type), type, "There is no such type.");
        var dimensions = shape.ToArray();
        CheckDimensions(name, dimensions);
        if (values.Length != StateShape.ElementCount(dimensions) || values.Length > Array.MaxLength / type.ByteSize())
        {
            throw new ArgumentException(
                $"'{name}' of shape {StateShape.Text(dimensions)} cannot be made of {values.Length:N0} values.",
                nameof(values));
        }
        return new StateEntry(name, dimensions, type, CheckpointNumbers.Encode(values, type));
    }

    /// <summary>Reads the numbers; only 64-bit whole numbers may have to be rounded.</summary>
    public double[] ToDoubles() => CheckpointNumbers.Decode<double>(Bytes.Span, Type);

    /// <summary>Reads the numbers, rounded to nearest even.</summary>
    public float[] ToFloats() => CheckpointNumbers.Decode<float>(Bytes.Span, Type);

    /// <summary>Returns name, dimensions and type.</summary>
    public override string ToString() => $"{Name} {ShapeText} {Type}";

    /// <summary>The same entry under another name.</summary>
    internal StateEntry Renamed(string name) => new(name, dimensions, Type, Bytes);

    private static void CheckDimensions(string name, int[] shape)
    {
        if (shape.Length > StateShape.MaximumRank || Array.Exists(shape, size => size < 0))
        {
            throw new ArgumentException(
                $"'{name}' of shape {StateShape.Text(shape)}: dimensions are at least 0, and at most " +
                $"{StateShape.MaximumRank} of them.",
                nameof(shape));
        }
    }
}
