using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace SapaGpu.Checkpoints;

/// <summary>
/// Writes safetensors. The header names the tensors in their order; their bytes lie with the largest types first, so
/// that each begins at a multiple of the size of its numbers, without gaps.
/// </summary>
internal static class SafetensorsWriter
{
    private const int Alignment = 8;

    /// <summary>Writes all entries and the metadata.</summary>
    /// <exception cref="InvalidOperationException">An entry is named __metadata__.</exception>
    public static void Write(StateDict state, Stream stream)
    {
        if (state.ContainsKey(SafetensorsEntry.MetadataName))
        {
            throw new InvalidOperationException(
                $"An entry named {SafetensorsEntry.MetadataName} cannot be saved; rename it.");
        }
        var layout = state.Values.OrderByDescending(entry => entry.Type.ByteSize()).ToList();
        var header = Header(state, layout);
        int padding = (Alignment - header.WrittenCount % Alignment) % Alignment;
        header.GetSpan(padding)[..padding].Fill((byte)' ');
        header.Advance(padding);

        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.WrittenCount);
        stream.Write(length);
        stream.Write(header.WrittenSpan);
        foreach (var entry in layout)
            stream.Write(entry.Bytes.Span);
    }

    private static ArrayBufferWriter<byte> Header(StateDict state, List<StateEntry> layout)
    {
        var begins = new Dictionary<string, long>(StringComparer.Ordinal);
        long end = 0;
        foreach (var entry in layout)
        {
            begins.Add(entry.Name, end);
            end += entry.Bytes.Length;
        }
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        if (state.Metadata.Count > 0)
        {
            writer.WriteStartObject(SafetensorsEntry.MetadataName);
            foreach (var (key, value) in state.Metadata)
                writer.WriteString(key, value);
            writer.WriteEndObject();
        }
        foreach (var entry in state.Values)
            WriteEntry(writer, entry, begins[entry.Name]);
        writer.WriteEndObject();
        writer.Flush();
        return buffer;
    }

    private static void WriteEntry(Utf8JsonWriter writer, StateEntry entry, long begin)
    {
        writer.WriteStartObject(entry.Name);
        writer.WriteString(SafetensorsEntry.TypeField, entry.TypeName);
        writer.WriteStartArray(SafetensorsEntry.ShapeField);
        foreach (int size in entry.Shape)
            writer.WriteNumberValue(size);
        writer.WriteEndArray();
        writer.WriteStartArray(SafetensorsEntry.OffsetsField);
        writer.WriteNumberValue(begin);
        writer.WriteNumberValue(begin + entry.Bytes.Length);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
