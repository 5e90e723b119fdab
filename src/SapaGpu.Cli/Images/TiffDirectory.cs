using System.Buffers.Binary;

namespace SapaGpu.Cli.Images;

/// <summary>
/// A directory of a TIFF file: reads entries that hold whole numbers, and changes them in a copy of the file, so that
/// libtiff gives samples that it would otherwise convert or refuse.
/// </summary>
/// <remarks>Adobe, <i>TIFF Revision 6.0</i>, section 2; entries of BigTIFF files are longer.</remarks>
internal sealed class TiffDirectory
{
    private const int MostDirectories = 10_000;
    private const int ByteType = 1;
    private const int ShortType = 3;
    private const int LongType = 4;

    private readonly Stream stream;
    private readonly bool isBig;
    private readonly Dictionary<TiffTag, long> entries = [];

    private TiffDirectory(Stream stream, bool isBigEndian, bool isBig, long position)
    {
        this.stream = stream;
        IsBigEndian = isBigEndian;
        this.isBig = isBig;
        long count = ReadNumber(position, isBig ? 8 : 2);
        long next = position + (isBig ? 8 : 2);
        if (count > ushort.MaxValue)
            throw new InvalidDataException("a directory is damaged");
        for (int i = 0; i < count; i++, next += EntrySize)
            entries[(TiffTag)ReadNumber(next, 2)] = next;
        Next = ReadNumber(next, isBig ? 8 : 4);
    }

    /// <summary>Whether numbers are stored with their highest byte first.</summary>
    public bool IsBigEndian { get; }

    private long Next { get; }

    private int EntrySize => isBig ? 20 : 12;

    private int InlineSize => isBig ? 8 : 4;

    /// <summary>Reads the directories of a file in their order; none if it is no TIFF file.</summary>
    /// <exception cref="InvalidDataException">A directory is damaged.</exception>
    public static IEnumerable<TiffDirectory> ReadAll(Stream stream)
    {
        var start = new byte[16];
        stream.Position = 0;
        int length = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (length < 8 || start[0] != start[1] || start[0] is not ((byte)'I' or (byte)'M'))
            yield break;
        bool isBigEndian = start[0] == 'M';
        int version = start[isBigEndian ? 3 : 2];
        if (version is not (42 or 43) || start[isBigEndian ? 2 : 3] != 0)
            yield break;
        bool isBig = version == 43;
        long position = Number(start.AsSpan(isBig ? 8 : 4, isBig ? 8 : 4), isBigEndian);
        for (int i = 0; position != 0 && i < MostDirectories; i++)
        {
            var directory = new TiffDirectory(stream, isBigEndian, isBig, position);
            yield return directory;
            position = directory.Next;
        }
    }

    /// <summary>The numbers of an entry; empty if there is none of whole numbers.</summary>
    public long[] Read(TiffTag tag)
    {
        if (!entries.TryGetValue(tag, out long entry))
            return [];
        int size = ReadNumber(entry + 2, 2) switch { ByteType => 1, ShortType => 2, LongType => 4, _ => 0 };
        long count = ReadNumber(entry + 4, isBig ? 8 : 4);
        if (size == 0 || count * size > stream.Length)
            return [];
        long value = entry + EntrySize - InlineSize;
        long position = count * size <= InlineSize ? value : ReadNumber(value, InlineSize);
        return [.. Enumerable.Range(0, (int)count).Select(i => ReadNumber(position + i * size, size))];
    }

    /// <summary>The first number of an entry, or what holds where there is none.</summary>
    public long First(TiffTag tag, long absent) => Read(tag) is [var first, ..] ? first : absent;

    /// <summary>Replaces the numbers of an entry that exists, in the bytes of the file.</summary>
    public byte[] Replace(byte[] file, TiffTag tag, params ushort[] numbers)
    {
        int entry = (int)entries[tag];
        int size = numbers.Length * sizeof(ushort);
        bool isInline = size <= InlineSize;
        byte[] changed = isInline ? file : [.. file, .. new byte[size]];
        int value = entry + EntrySize - InlineSize;
        changed.AsSpan(value, InlineSize).Clear();
        int target = isInline ? value : file.Length;
        for (int i = 0; i < numbers.Length; i++)
            WriteNumber(changed.AsSpan(target + i * sizeof(ushort), sizeof(ushort)), numbers[i]);
        if (!isInline)
            WriteNumber(changed.AsSpan(value, InlineSize), file.Length);
        WriteNumber(changed.AsSpan(entry + 2, 2), ShortType);
        WriteNumber(changed.AsSpan(entry + 4, isBig ? 8 : 4), numbers.Length);
        return changed;
    }

    private long ReadNumber(long position, int size)
    {
        if (position < 0 || position > stream.Length - size)
            throw new InvalidDataException("the file is cut off");
        Span<byte> bytes = stackalloc byte[size];
        stream.Position = position;
        stream.ReadExactly(bytes);
        return Number(bytes, IsBigEndian);
    }

    private void WriteNumber(Span<byte> bytes, long number)
    {
        Span<byte> all = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(all, number);
        all[..bytes.Length].CopyTo(bytes);
        if (IsBigEndian)
            bytes.Reverse();
    }

    private static long Number(ReadOnlySpan<byte> bytes, bool isBigEndian)
    {
        long number = 0;
        for (int i = 0; i < bytes.Length; i++)
            number |= (long)bytes[isBigEndian ? bytes.Length - 1 - i : i] << (8 * i);
        return number;
    }
}

/// <summary>The entries of a TIFF directory that are read here.</summary>
internal enum TiffTag : ushort
{
    /// <summary>Bit 0: a smaller copy of another image; bit 2: a mask of another image.</summary>
    NewSubfileType = 254,

    /// <summary>The bits of each sample.</summary>
    BitsPerSample = 258,

    /// <summary>What samples mean: 1 is grey, 3 is an index of a palette.</summary>
    Photometric = 262,

    /// <summary>How the image is turned; 1 if it is upright.</summary>
    Orientation = 274,

    /// <summary>The samples of a pixel.</summary>
    SamplesPerPixel = 277,

    /// <summary>Whether samples of a pixel lie side by side (1) or in planes (2).</summary>
    PlanarConfiguration = 284,

    /// <summary>How samples were predicted before they were compressed; 1 if they were not.</summary>
    Predictor = 317,

    /// <summary>The columns of a tile; absent in files of strips.</summary>
    TileWidth = 322,

    /// <summary>The colours of a palette: all reds, then all greens, then all blues.</summary>
    ColourMap = 320,

    /// <summary>The type of each sample: 1 unsigned, 2 signed, 3 floating-point.</summary>
    SampleFormat = 339,
}
