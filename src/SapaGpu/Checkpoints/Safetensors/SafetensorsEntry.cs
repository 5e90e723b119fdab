using System.Text.Json;

namespace SapaGpu.Checkpoints;

/// <summary>The description of a tensor in the header of a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type of its numbers; null if it is not read.</param>
/// <param name="TypeName">The name of the type.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Begin">Where its bytes begin, counted from the end of the header.</param>
/// <param name="End">Where they end.</param>
internal sealed record SafetensorsEntry(
    string Name, CheckpointType? Type, string TypeName, int[] Shape, long Begin, long End)
{
    /// <summary>The name of the metadata, which is not a tensor.</summary>
    public const string MetadataName = "__metadata__";

    /// <summary>The fields of a tensor.</summary>
    public const string TypeField = "dtype";

    /// <inheritdoc cref="TypeField"/>
    public const string ShapeField = "shape";

    /// <inheritdoc cref="TypeField"/>
    public const string OffsetsField = "data_offsets";

    /// <summary>Reads the description of a tensor.</summary>
    /// <exception cref="InvalidDataException">A field is missing or invalid.</exception>
    public static SafetensorsEntry Parse(JsonProperty property)
    {
        string shown = ShownText.Quoted(property.Name);
        if (property.Value.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{shown} is not an object in the header");
        string typeName = Field(property, TypeField, JsonValueKind.String).GetString() ?? string.Empty;
        var type = CheckpointTypes.FromSafetensors(typeName);
        var shape = Numbers(property, ShapeField);
        if (shape.Length > StateShape.MaximumRank)
            throw new InvalidDataException(
                $"{shown} has {shape.Length:N0} dimensions, more than {StateShape.MaximumRank}");
        var dimensions = Array.ConvertAll(shape, StateShape.Checked);
        var offsets = Numbers(property, OffsetsField);
        if (offsets.Length != 2 || offsets[0] < 0 || offsets[1] < offsets[0])
            throw new InvalidDataException($"the {OffsetsField} of {shown} are not a beginning and an end");
        Int128 expected = (Int128)StateShape.ElementCount(dimensions) * (type?.ByteSize() ?? 0);
        if (type is not null && offsets[1] - offsets[0] != expected)
        {
            throw new InvalidDataException(
                $"{shown} of shape {StateShape.Text(dimensions)} and type {typeName} has {expected:N0} bytes, but " +
                $"its {OffsetsField} span {offsets[1] - offsets[0]:N0}");
        }
        return new SafetensorsEntry(property.Name, type, typeName, dimensions, offsets[0], offsets[1]);
    }

    private static long[] Numbers(JsonProperty property, string field)
    {
        var array = Field(property, field, JsonValueKind.Array);
        var numbers = new long[array.GetArrayLength()];
        int count = 0;
        foreach (var element in array.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out numbers[count]))
            {
                throw new InvalidDataException(
                    $"the {field} of {ShownText.Quoted(property.Name)} has an element that is not an integer");
            }
            count++;
        }
        return numbers;
    }

    private static JsonElement Field(JsonProperty property, string field, JsonValueKind kind) =>
        property.Value.TryGetProperty(field, out var element) && element.ValueKind == kind
            ? element
            : throw new InvalidDataException($"{ShownText.Quoted(property.Name)} has no valid {field} in the header");
}
