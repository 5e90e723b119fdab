using System.Buffers.Binary;

namespace SapaGpu.Checkpoints;

/// <summary>Reads a checkpoint of any format, which is recognised by its first bytes.</summary>
internal static class CheckpointReader
{
    private const int StartLength = 32;
    private static readonly byte[] ZipStart = "PK\x03\x04"u8.ToArray();
    private static readonly byte[] EmptyZipStart = "PK\x05\x06"u8.ToArray();

    /// <summary>Reads what is wanted of a checkpoint, from the position of a stream to its end.</summary>
    /// <exception cref="InvalidDataException">The content is damaged or not a checkpoint.</exception>
    public static StateDict Read(Stream stream, StateQuery query)
    {
        if (!stream.CanSeek || stream.Position != 0)
        {
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            copy.Position = 0;
            return Read(copy, query);
        }
        try
        {
            return ReadByContent(stream, query);
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException("the file is cut off", e);
        }
    }

    private static StateDict ReadByContent(Stream stream, StateQuery query)
    {
        var start = StreamPart.Read(stream, 0, Math.Min(StartLength, stream.Length)).AsSpan();
        if (start.StartsWith(ZipStart) || start.StartsWith(EmptyZipStart))
            return TorchZip.Read(stream, query);
        if (TorchLegacy.IsStart(start))
            return TorchLegacy.Read(stream, query);
        if (start.Length > sizeof(long) && start[sizeof(long)] == (byte)'{')
            return SafetensorsReader.Read(stream, BinaryPrimitives.ReadUInt64LittleEndian(start), query);
        throw new InvalidDataException(
            "this is neither a PyTorch checkpoint nor a safetensors file; save one with " +
            "torch.save(model.state_dict(), path)");
    }
}
