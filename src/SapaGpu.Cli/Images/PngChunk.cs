using System.Buffers.Binary;
using System.Text;

namespace SapaGpu.Cli.Images;

/// <summary>A chunk of a PNG file.</summary>
/// <param name="Type">The four letters of its type.</param>
/// <param name="Data">Its content.</param>
/// <remarks>W3C, <i>Portable Network Graphics Specification</i>, third edition: section 5.</remarks>
internal sealed record PngChunk(string Type, byte[] Data)
{
    private const int TypeLength = 4;
    private static readonly byte[] Signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];
    private static readonly uint[] CrcTable = [.. Enumerable.Range(0, 256).Select(i => CrcOfByte((uint)i))];

    /// <summary>Reads the first bytes of a file; false if it is no PNG.</summary>
    public static bool TryReadSignature(Stream stream)
    {
        var start = new byte[Signature.Length];
        return stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length
            && start.AsSpan().SequenceEqual(Signature);
    }

    /// <summary>Writes the first bytes of a file.</summary>
    public static void WriteSignature(Stream stream) => stream.Write(Signature);

    /// <summary>Reads the next chunk.</summary>
    /// <exception cref="EndOfStreamException">The file ends before the chunk does.</exception>
    /// <exception cref="InvalidDataException">The chunk is damaged.</exception>
    public static PngChunk Read(Stream stream)
    {
        Span<byte> number = stackalloc byte[sizeof(uint)];
        stream.ReadExactly(number);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(number);
        if (length > stream.Length - stream.Position)
            throw new EndOfStreamException("the file is cut off");
        var content = new byte[TypeLength + length];
        stream.ReadExactly(content);
        stream.ReadExactly(number);
        string type = Encoding.ASCII.GetString(content, 0, TypeLength);
        return Crc(content) == BinaryPrimitives.ReadUInt32BigEndian(number)
            ? new PngChunk(type, content[TypeLength..])
            : throw new InvalidDataException($"the checksum of the chunk {type} is wrong");
    }

    /// <summary>Writes the chunk with its length and checksum.</summary>
    public void Write(Stream stream)
    {
        Span<byte> number = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteInt32BigEndian(number, Data.Length);
        stream.Write(number);
        byte[] content = [.. Encoding.ASCII.GetBytes(Type), .. Data];
        stream.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc(content));
        stream.Write(number);
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
            crc = CrcTable[(byte)(crc ^ value)] ^ crc >> 8;
        return ~crc;
    }

    private static uint CrcOfByte(uint value)
    {
        const uint Polynomial = 0xedb88320;
        for (int bit = 0; bit < 8; bit++)
            value = (value & 1) == 1 ? Polynomial ^ value >> 1 : value >> 1;
        return value;
    }
}
