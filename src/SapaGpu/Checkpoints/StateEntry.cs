using SapaGpu.Checkpoints;
using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>A tensor of a checkpoint: name, shape, element type and values, in host memory.</summary>
public sealed class StateEntry
{
    private readonly int[] dimensions;

    /// <summary>Creates an entry that refers to the bytes without copying them.</summary>
    /// <param name="name">The name in the state_dict, such as "q.weight".</param>
    /// <param name="shape">The dimensions, at most 16; none for a scalar.</param>
    /// <param name="type">The element type.</param>
    /// <param name="bytes">The values, little-endian, the last dimension contiguous.</param>
    /// <exception cref="ArgumentException">
    /// A dimension is negative, there are more than 16, or the number of bytes is not that of shape and type.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The type is not defined, or Other.</exception>
    public StateEntry(string name, ReadOnlySpan<int> shape, CheckpointType type, ReadOnlyMemory<byte> bytes)
        : this(name, shape.ToArray(), type, bytes)
    {
    }

    internal StateEntry(string name, int[] dimensions, CheckpointType type, ReadOnlyMemory<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(name);
        CheckType(type);
        CheckDimensions(name, dimensions);
        Int128 expected = (Int128)StateShape.ElementCount(dimensions) * type.ByteSize();
        if (bytes.Length != expected)
        {
            throw new ArgumentException(
                $"'{name}' of shape {StateShape.Text(dimensions)} and type {type} needs {expected:N0} bytes; got " +
                $"{bytes.Length:N0}.",
                nameof(bytes));
        }
        this.dimensions = dimensions;
        Name = name;
        Shape = Array.AsReadOnly(dimensions);
        Type = type;
        TypeName = type.SafetensorsName();
        Bytes = bytes;
    }

    // An entry of a type that is not read.
    private StateEntry(string name, int[] dimensions, string typeName, ReadOnlyMemory<byte> bytes)
    {
        this.dimensions = dimensions;
        Name = name;
        Shape = Array.AsReadOnly(dimensions);
        Type = CheckpointType.Other;
        TypeName = typeName;
        Bytes = bytes;
    }

    /// <summary>Gets the name in the state_dict.</summary>
    public string Name { get; }

    /// <summary>Gets the dimensions; empty for a scalar.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>Gets the element type.</summary>
    public CheckpointType Type { get; }

    /// <summary>Gets the name of the element type in a safetensors file, such as "F32".</summary>
    public string TypeName { get; }

    /// <summary>Gets the bytes of the values: little-endian, the last dimension contiguous.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Gets the dimensions as PyTorch writes them.</summary>
    internal string ShapeText => StateShape.Text(dimensions);

    /// <summary>Creates an entry from values.</summary>
    /// <param name="name">The name in the state_dict.</param>
    /// <param name="shape">The dimensions, at most 16; none for a scalar.</param>
    /// <param name="values">The values, the last dimension contiguous.</param>
    /// <param name="type">
    /// The element type to convert to. Values are rounded to nearest, ties to even; integers are clamped to their
    /// range; nonzero values are true.
    /// </param>
    /// <exception cref="ArgumentException">
    /// A dimension is negative, there are more than 16, the number of values is not that of the shape, or the bytes do
    /// not fit an array.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The type is not defined, or Other.</exception>
    public static StateEntry FromDoubles(
        string name, ReadOnlySpan<int> shape, ReadOnlySpan<double> values, CheckpointType type)
    {
        ArgumentNullException.ThrowIfNull(name);
        CheckType(type);
        var dimensions = shape.ToArray();
        CheckDimensions(name, dimensions);
        if (values.Length != StateShape.ElementCount(dimensions) || values.Length > Array.MaxLength / type.ByteSize())
        {
            throw new ArgumentException(
                $"'{name}' of shape {StateShape.Text(dimensions)} needs {StateShape.ElementCount(dimensions):N0} " +
                $"values, at most {Array.MaxLength / type.ByteSize():N0} of type {type}; got {values.Length:N0}.",
                nameof(values));
        }
        return new StateEntry(name, dimensions, type, CheckpointNumbers.Encode(values, type));
    }

    /// <summary>Converts the values to double; only 64-bit integers may be rounded.</summary>
    /// <exception cref="NotSupportedException">The type is <see cref="CheckpointType.Other"/>.</exception>
    public double[] ToDoubles() => Decode<double>();

    /// <summary>Converts the values to float, rounded to nearest, ties to even.</summary>
    /// <exception cref="NotSupportedException">The type is <see cref="CheckpointType.Other"/>.</exception>
    public float[] ToFloats() => Decode<float>();

    /// <summary>Returns name, shape and type.</summary>
    public override string ToString() => $"{Name} {ShapeText} {(Type == CheckpointType.Other ? TypeName : Type)}";

    /// <summary>An entry of a type that is not read; nothing is known of the size of its numbers.</summary>
    internal static StateEntry OfOtherType(
        string name, int[] dimensions, string typeName, ReadOnlyMemory<byte> bytes) => new(name, dimensions, typeName, bytes);

    /// <summary>The same entry under another name.</summary>
    internal StateEntry Renamed(string name) => Type == CheckpointType.Other
        ? new(name, dimensions, TypeName, Bytes)
        : new(name, dimensions, Type, Bytes);

    private static void CheckType(CheckpointType type)
    {
        EnumChecks.Defined(type);
        if (type == CheckpointType.Other)
            throw new ArgumentOutOfRangeException(nameof(type), type, "Only files have entries of other types.");
    }

    private static void CheckDimensions(string name, int[] shape)
    {
        if (shape.Length > StateShape.MaximumRank || Array.Exists(shape, size => size < 0))
        {
            throw new ArgumentException(
                $"'{name}' has shape {StateShape.Text(shape)}; a shape has at most {StateShape.MaximumRank} " +
                "dimensions, none of them negative.",
                nameof(shape));
        }
    }
    private T[] Decode<T>()
        where T : unmanaged, System.Numerics.INumberBase<T> => Type == CheckpointType.Other
            ? throw new NotSupportedException(
                $"{ShownText.Quoted(Name)} has the type {ShownText.Quoted(TypeName)}, which is not read; read are " +
                $"{CheckpointTypes.Names}.")
            : CheckpointNumbers.Decode<T>(Bytes.Span, Type);
}
