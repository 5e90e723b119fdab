using System.Buffers.Binary;
using System.Numerics;

namespace SapaGpu.Cli.Images;

/// <summary>Reads BMP files of 1 to 32 bits a pixel, with a palette, run lengths or channel masks.</summary>
/// <remarks>Microsoft, <i>Bitmap Storage</i> and <i>Bitmap Header Types</i>, Windows GDI documentation.</remarks>
internal static class BmpReader
{
    /// <summary>The bytes that tell a BMP from other files.</summary>
    public const int SignatureLength = 18;

    private const int FileHeader = 14;
    private const int OldestHeader = 12;
    private const int CommonHeader = 40;
    private const int MasksAt = FileHeader + CommonHeader;
    private const int LargestSide = 1 << 20;

    private enum Compression
    {
        None,
        RunLengths8,
        RunLengths4,
        Masks,
        MasksWithAlpha = 6,
    }

    /// <summary>Whether a file begins as a BMP does.</summary>
    public static bool IsBmp(ReadOnlySpan<byte> start) => start.Length >= SignatureLength && start.StartsWith("BM"u8)
        && BinaryPrimitives.ReadInt32LittleEndian(start[FileHeader..]) is OldestHeader or (>= CommonHeader and <= 124);

    /// <summary>Reads the size from the beginning of a file.</summary>
    /// <exception cref="InvalidDataException">The sizes are invalid.</exception>
    /// <exception cref="ArgumentException">The file is cut off.</exception>
    public static ImageSize ReadSize(ReadOnlySpan<byte> file)
    {
        int width = IsOldest(file) ? UInt16(file, 18) : Int32(file, 18);
        long height = Math.Abs((long)SignedHeight(file));
        return width is >= 1 and <= LargestSide && height is >= 1 and <= LargestSide
            ? new ImageSize((int)height, width)
            : throw new InvalidDataException("the sizes are invalid");
    }

    /// <summary>Reads a file; palette indices stay indices.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or of a kind that is not supported.</exception>
    /// <exception cref="ArgumentException">The file is cut off.</exception>
    public static Bitmap Read(ReadOnlySpan<byte> file)
    {
        int header = Int32(file, 14);
        bool isOldest = IsOldest(file);
        var (height, width) = ReadSize(file);
        int bits = UInt16(file, isOldest ? 24 : 28);
        var compression = isOldest ? Compression.None : (Compression)Int32(file, 30);
        bool isSupported = compression switch
        {
            Compression.None => bits is 1 or 2 or 4 or 8 or 16 or 24 or 32,
            Compression.RunLengths8 => bits == 8,
            Compression.RunLengths4 => bits == 4,
            Compression.Masks or Compression.MasksWithAlpha => bits is 16 or 32,
            _ => false,
        };
        if (!isSupported)
            throw new InvalidDataException($"BMP with {bits} bits and compression {(int)compression} is not supported");

        // Before there is memory for what a damaged header announces.
        var pixels = file[Int32(file, 10)..];
        bool hasRunLengths = compression is Compression.RunLengths8 or Compression.RunLengths4;
        if (!hasRunLengths && pixels.Length < (height - 1L) * RowBytes(width, bits) + (width * bits + 7) / 8)
            throw new InvalidDataException("the file is cut off");
        Bitmap bitmap;
        if (bits <= 8)
        {
            var indices = compression == Compression.None
                ? ReadIndices(pixels, height, width, bits)
                : UndoRunLengths(pixels, height, width, bits);
            bitmap = new Bitmap(height, width, 1, indices) { Palette = ReadPalette(file, header, bits) };
        }
        else
        {
            bitmap = bits == 24
                ? ReadColours(pixels, height, width)
                : ReadMasked(pixels, height, width, bits, ReadMasks(file, header, bits, compression));
        }
        // Rows are stored from the lowest up, unless the height is negative.
        if (SignedHeight(file) > 0)
            TurnOver((byte[])bitmap.Samples, height);
        return bitmap;
    }

    private static bool IsOldest(ReadOnlySpan<byte> file) => Int32(file, FileHeader) == OldestHeader;

    /// <summary>The rows, negative where they are stored from the highest down.</summary>
    private static int SignedHeight(ReadOnlySpan<byte> file) => IsOldest(file) ? UInt16(file, 20) : Int32(file, 22);

    private static Palette ReadPalette(ReadOnlySpan<byte> file, int header, int bits)
    {
        int entrySize = header == OldestHeader ? 3 : 4;
        int used = header == OldestHeader ? 0 : Int32(file, 46);
        int start = FileHeader + header;
        int room = Math.Max(0, Int32(file, 10) - start) / entrySize;
        int count = Math.Min(used is > 0 and <= 256 ? used : 1 << bits, Math.Min(room, 1 << bits));
        var colours = new byte[count * Photo.Channels];
        for (int i = 0; i < count; i++)
        {
            for (int c = 0; c < Photo.Channels; c++)
                colours[i * Photo.Channels + c] = file[start + i * entrySize + 2 - c];
        }
        return new Palette(bits, colours, []);
    }

    private static byte[] ReadIndices(ReadOnlySpan<byte> pixels, int height, int width, int bits)
    {
        var indices = new byte[(long)height * width];
        for (int y = 0; y < height; y++)
        {
            var line = pixels.Slice(y * RowBytes(width, bits), (width * bits + 7) / 8);
            for (int x = 0; x < width; x++)
            {
                int bit = x * bits;
                indices[y * width + x] = (byte)(line[bit / 8] >> (8 - bits - bit % 8) & ((1 << bits) - 1));
            }
        }
        return indices;
    }

    private static byte[] UndoRunLengths(ReadOnlySpan<byte> pixels, int height, int width, int bits)
    {
        var indices = new byte[(long)height * width];
        int row = 0, column = 0, at = 0;
        while (row < height)
        {
            int count = pixels[at], value = pixels[at + 1];
            at += 2;
            if (count > 0)
            {
                for (int i = 0; i < count; i++)
                    Set(Nibble(value, i));
                continue;
            }
            switch (value)
            {
                case 0:
                    (row, column) = (row + 1, 0);
                    break;
                case 1:
                    return indices;
                case 2:
                    (row, column) = (row + pixels[at + 1], column + pixels[at]);
                    at += 2;
                    break;
                default:
                    for (int i = 0; i < value; i++)
                        Set(Nibble(pixels[at + (bits == 8 ? i : i / 2)], i));
                    int bytes = bits == 8 ? value : (value + 1) / 2;
                    at += bytes + bytes % 2;
                    break;
            }
        }
        return indices;

        int Nibble(int pair, int i) => bits == 8 ? pair : i % 2 == 0 ? pair >> 4 : pair & 15;

        void Set(int index)
        {
            if (column >= width)
                throw new InvalidDataException("a run is longer than its row");
            indices[row * width + column++] = (byte)index;
        }
    }

    private static Bitmap ReadColours(ReadOnlySpan<byte> pixels, int height, int width)
    {
        var samples = new byte[(long)height * width * Photo.Channels];
        for (int y = 0; y < height; y++)
        {
            var line = pixels.Slice(y * RowBytes(width, 24), width * Photo.Channels);
            for (int i = 0; i < line.Length; i++)
                samples[y * line.Length + i / 3 * 3 + 2 - i % 3] = line[i];
        }
        return new Bitmap(height, width, Photo.Channels, samples);
    }

    private static uint[] ReadMasks(ReadOnlySpan<byte> file, int header, int bits, Compression compression)
    {
        if (compression == Compression.None)
            return bits == 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff];
        bool hasAlpha = compression == Compression.MasksWithAlpha || header >= CommonHeader + 16;
        var masks = new uint[hasAlpha ? 4 : 3];
        for (int c = 0; c < masks.Length; c++)
            masks[c] = BinaryPrimitives.ReadUInt32LittleEndian(file[(MasksAt + 4 * c)..]);
        return hasAlpha && masks[3] == 0 ? masks[..3] : masks;
    }

    private static Bitmap ReadMasked(ReadOnlySpan<byte> pixels, int height, int width, int bits, uint[] masks)
    {
        if (masks.Contains(0u))
            throw new InvalidDataException("a channel has no bits");
        var samples = new byte[(long)height * width * masks.Length];
        int next = 0;
        for (int y = 0; y < height; y++)
        {
            var line = pixels.Slice(y * RowBytes(width, bits), width * bits / 8);
            for (int x = 0; x < width; x++)
            {
                uint pixel = bits == 16
                    ? BinaryPrimitives.ReadUInt16LittleEndian(line[(2 * x)..])
                    : BinaryPrimitives.ReadUInt32LittleEndian(line[(4 * x)..]);
                foreach (uint mask in masks)
                {
                    int shift = BitOperations.TrailingZeroCount(mask);
                    double share = (double)((pixel & mask) >> shift) / (mask >> shift);
                    samples[next++] = (byte)Math.Round(share * byte.MaxValue);
                }
            }
        }
        return new Bitmap(height, width, masks.Length, samples);
    }

    private static void TurnOver(byte[] samples, int height)
    {
        int length = samples.Length / height;
        var held = new byte[length];
        for (int y = 0; y < height / 2; y++)
        {
            var upper = samples.AsSpan(y * length, length);
            var lower = samples.AsSpan((height - 1 - y) * length, length);
            upper.CopyTo(held);
            lower.CopyTo(upper);
            held.CopyTo(lower);
        }
    }

    private static int RowBytes(int width, int bits) => (width * bits + 31) / 32 * 4;

    private static int Int32(ReadOnlySpan<byte> file, int at) => BinaryPrimitives.ReadInt32LittleEndian(file[at..]);

    private static int UInt16(ReadOnlySpan<byte> file, int at) => BinaryPrimitives.ReadUInt16LittleEndian(file[at..]);
}
