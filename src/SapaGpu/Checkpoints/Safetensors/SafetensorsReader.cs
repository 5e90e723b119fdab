using System.Text.Json;
using System.Text.Unicode;

namespace SapaGpu.Checkpoints;

/// <summary>
/// Reads safetensors: the length of a header, the header in JSON, and the tensors, which fill the rest without gaps.
/// </summary>
/// <remarks>Hugging Face, <i>Safetensors</i>, section Format.</remarks>
internal static class SafetensorsReader
{
    private const long MaximumHeaderLength = 100_000_000;
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    /// <summary>Reads what is wanted of a file whose header has a given length.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or not supported.</exception>
    public static StateDict Read(Stream stream, ulong headerLength, StateQuery query)
    {
        if (headerLength > MaximumHeaderLength || (long)headerLength > stream.Length - sizeof(long))
        {
            throw new InvalidDataException(
                $"the header is declared with {headerLength:N0} bytes, but the file has {stream.Length:N0}, and a " +
                $"header may have at most {MaximumHeaderLength:N0}");
        }
        var header = StreamPart.Read(stream, sizeof(long), (long)headerLength);
        if (!Utf8.IsValid(header))
            throw new InvalidDataException("the header is not valid UTF-8");
        try
        {
            using var document = JsonDocument.Parse(header, Options);
            return Read(stream, document.RootElement, sizeof(long) + header.Length, query);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"the header is not valid JSON: {ShownText.OneLine(e.Message)}", e);
        }
        catch (InvalidOperationException e)
        {
            // Half a surrogate pair, written as an escape.
            throw new InvalidDataException("the header has text that is not valid Unicode", e);
        }
    }

    private static StateDict Read(Stream stream, JsonElement header, long dataStart, StateQuery query)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var tensors = new List<SafetensorsEntry>();
        foreach (var property in header.EnumerateObject())
        {
            if (property.NameEquals(SafetensorsEntry.MetadataName))
                ReadMetadata(property.Value, metadata);
            else
                tensors.Add(SafetensorsEntry.Parse(property));
        }
        CheckOffsets(tensors, stream.Length - dataStart);
        var all = new StateSection(
            string.Empty,
            [.. tensors.Select(tensor => new StateItem(tensor.Name, name => Read(stream, dataStart, tensor, name)))],
            []);
        var state = StateSelection.Select([all], all, query);
        foreach (var (key, value) in metadata)
            state.Metadata.Add(key, value);
        return state;
    }

    private static StateEntry Read(Stream stream, long dataStart, SafetensorsEntry tensor, string name)
    {
        var bytes = StreamPart.Read(stream, dataStart + tensor.Begin, tensor.End - tensor.Begin);
        return tensor.Type is { } type
            ? new StateEntry(name, tensor.Shape, type, bytes)
            : StateEntry.OfOtherType(name, tensor.Shape, tensor.TypeName, bytes);
    }

    private static void ReadMetadata(JsonElement element, Dictionary<string, string> metadata)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{SafetensorsEntry.MetadataName} is not an object with string values");
        foreach (var property in element.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
                throw new InvalidDataException($"{SafetensorsEntry.MetadataName} is not an object with string values");
            metadata.Add(property.Name, property.Value.GetString() ?? string.Empty);
        }
    }

    private static void CheckOffsets(List<SafetensorsEntry> tensors, long dataLength)
    {
        long end = 0;
        foreach (var tensor in tensors.OrderBy(t => t.Begin).ThenBy(t => t.End))
        {
            if (tensor.Begin != end)
            {
                throw new InvalidDataException(
                    $"{ShownText.Quoted(tensor.Name)} begins at {tensor.Begin:N0}, but the data before it ends at " +
                    $"{end:N0}; tensors must be stored without overlap or gap");
            }
            end = tensor.End;
        }
        if (end != dataLength)
            throw new InvalidDataException(
                $"the tensors have {end:N0} bytes, but the file has {dataLength:N0} bytes of data");
    }
}
