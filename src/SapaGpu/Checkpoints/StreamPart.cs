namespace SapaGpu.Checkpoints;

/// <summary>Reads parts of a stream after checking that they exist.</summary>
internal static class StreamPart
{
    /// <summary>Reads bytes.</summary>
    /// <exception cref="InvalidDataException">They are not all there, or more than an array holds.</exception>
    public static byte[] Read(Stream stream, long offset, long count)
    {
        if (offset < 0 || count < 0 || offset > stream.Length - count)
        {
            throw new InvalidDataException(
                $"the file is cut off: it declares {count:N0} bytes at {offset:N0}, but has {stream.Length:N0}");
        }
        var bytes = Allocate(count);
        stream.Position = offset;
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Allocates an array for bytes that are known to exist.</summary>
    /// <exception cref="InvalidDataException">They are more than an array holds.</exception>
    public static byte[] Allocate(long count) => count <= Array.MaxLength
        ? GC.AllocateUninitializedArray<byte>((int)count)
        : throw new InvalidDataException($"a part of {count:N0} bytes is larger than an array can be");
}
