using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace SapaGpu.Checkpoints;

/// <summary>The bytes of a pickle, read forward.</summary>
internal sealed class PickleInput(Stream stream)
{
    private const int BufferLength = 1 << 14;
    private const int MaximumLine = 256;

    private byte[] buffer = [];
    private long bufferStart;
    private int used;

    /// <summary>Gets the position of the next byte.</summary>
    public long Position => bufferStart + used;

    /// <summary>Reads a byte.</summary>
    public byte ReadByte() => Read(1)[0];

    /// <summary>Reads an unsigned integer of two bytes.</summary>
    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Read(sizeof(ushort)));

    /// <summary>Reads an unsigned integer of four bytes.</summary>
    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Read(sizeof(uint)));

    /// <summary>Reads an unsigned integer of eight bytes.</summary>
    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Read(sizeof(ulong)));

    /// <summary>Reads a double-precision number.</summary>
    public double ReadDouble() => BinaryPrimitives.ReadDoubleBigEndian(Read(sizeof(double)));

    /// <summary>Reads a string with a given number of bytes.</summary>
    public string ReadText(ulong count)
    {
        var bytes = Read(count);
        if (Utf8.IsValid(bytes))
            return Encoding.UTF8.GetString(bytes);
        var repaired = WithoutSurrogates(bytes);
        return Utf8.IsValid(repaired)
            ? Encoding.UTF8.GetString(repaired)
            : throw new InvalidDataException("the pickle has a string that is not valid UTF-8");
    }

    /// <summary>Reads what Python 2 wrote as a string: text, or bytes where it is not valid UTF-8.</summary>
    public object ReadTextOrBytes(ulong count)
    {
        var bytes = Read(count);
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : bytes.ToArray();
    }

    /// <summary>Reads a string up to the end of the line.</summary>
    public string ReadLine()
    {
        var line = new byte[MaximumLine];
        for (int count = 0; count < line.Length; count++)
        {
            line[count] = ReadByte();
            if (line[count] == (byte)'\n')
                return Encoding.Latin1.GetString(line, 0, count);
        }
        throw new InvalidDataException($"the pickle has a name longer than {MaximumLine} bytes");
    }

    /// <summary>Reads bytes, which stay valid until the next call.</summary>
    /// <exception cref="InvalidDataException">They are not all there.</exception>
    public ReadOnlySpan<byte> Read(ulong count)
    {
        if (count > (ulong)(buffer.Length - used))
            Fill(count);
        var bytes = buffer.AsSpan(used, (int)count);
        used += (int)count;
        return bytes;
    }

    // Python writes half a surrogate pair, as it has in the names of some files, like any other character: three bytes, of
    // which the first is 0xED and the second at least 0xA0. It becomes the replacement character.
    private static byte[] WithoutSurrogates(ReadOnlySpan<byte> bytes)
    {
        var repaired = bytes.ToArray();
        for (int i = 0; i + 2 < repaired.Length; i++)
        {
            if (repaired[i] == 0xED && repaired[i + 1] >= 0xA0)
                "\uFFFD"u8.CopyTo(repaired.AsSpan(i));
        }
        return repaired;
    }

    private void Fill(ulong count)
    {
        long start = Position;
        long left = stream.Length - start;
        if (left < 0 || count > (ulong)left)
            throw new InvalidDataException(
                $"the pickle is cut off: it continues past the {stream.Length:N0} bytes of the file");
        buffer = StreamPart.Read(stream, start, Math.Max((long)count, Math.Min(BufferLength, left)));
        bufferStart = start;
        used = 0;
    }
}
