using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace SapaGpu.Cli.Images;

/// <summary>Reads the portable maps: PBM, PGM and PPM, as text or binary, and PFM.</summary>
/// <remarks>
/// The manual pages <i>pbm</i>, <i>pgm</i>, <i>ppm</i> and <i>pfm</i> of Netpbm. Samples stay as they are, whatever the
/// largest is; bits become 0 and 255, for black and white. The scale of PFM is not applied.
/// </remarks>
internal static class NetpbmReader
{
    private const int SignatureLength = 2;
    private const int LargestSide = 1 << 20;

    /// <summary>Whether a file begins as one of these formats does.</summary>
    public static bool IsNetpbm(ReadOnlySpan<byte> start) =>
        start.Length > 2 && start[0] == 'P' && start[1] is (>= (byte)'1' and <= (byte)'6') or (byte)'f' or (byte)'F'
        && IsSpace(start[2]);

    /// <summary>Reads the size from the beginning of a file.</summary>
    /// <exception cref="InvalidDataException">The sizes are invalid.</exception>
    public static ImageSize ReadSize(ReadOnlySpan<byte> file)
    {
        int at = SignatureLength;
        return ReadSize(file, ref at);
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="ArgumentException">The file is cut off.</exception>
    public static Bitmap Read(ReadOnlySpan<byte> file)
    {
        char kind = (char)file[1];
        int at = SignatureLength;
        var (height, width) = ReadSize(file, ref at);
        int channels = kind is '3' or '6' or 'F' ? Photo.Channels : 1;
        if ((long)width * height * channels > Array.MaxLength)
            throw new InvalidDataException("there are too many pixels");
        switch (kind)
        {
            case 'f' or 'F':
                bool isLittleEndian = Token(file, ref at).StartsWith('-');
                return ReadNumbers(file[(at + 1)..], height, width, channels, isLittleEndian);
            case '1':
                return ReadDigits(file[at..], height, width);
            case '4':
                return ReadBits(file[(at + 1)..], height, width);
        }
        int white = Whole(Token(file, ref at), ushort.MaxValue);
        int count = height * width * channels;
        var samples = new ushort[count];
        if (kind <= '3')
        {
            for (int i = 0; i < count; i++)
                samples[i] = (ushort)Whole(Token(file, ref at), white, 0);
        }
        else
        {
            var data = file[(at + 1)..];
            for (int i = 0; i < count; i++)
                samples[i] = white > byte.MaxValue ? BinaryPrimitives.ReadUInt16BigEndian(data[(2 * i)..]) : data[i];
        }
        bool isWide = white > byte.MaxValue;
        return new Bitmap(
            height, width, channels, isWide ? samples : Array.ConvertAll(samples, sample => (byte)sample))
        {
            White = white is byte.MaxValue or ushort.MaxValue ? null : white,
        };
    }

    private static ImageSize ReadSize(ReadOnlySpan<byte> file, ref int at)
    {
        int width = Whole(Token(file, ref at), LargestSide);
        return new ImageSize(Whole(Token(file, ref at), LargestSide), width);
    }

    private static Bitmap ReadNumbers(
        ReadOnlySpan<byte> data, int height, int width, int channels, bool isLittleEndian)
    {
        var samples = new float[height * width * channels];
        int length = width * channels;
        for (int i = 0; i < samples.Length; i++)
        {
            // Rows are stored from the lowest up.
            int from = (height - 1 - i / length) * length + i % length;
            samples[i] = isLittleEndian
                ? BinaryPrimitives.ReadSingleLittleEndian(data[(4 * from)..])
                : BinaryPrimitives.ReadSingleBigEndian(data[(4 * from)..]);
        }
        return new Bitmap(height, width, channels, samples);
    }

    private static Bitmap ReadBits(ReadOnlySpan<byte> data, int height, int width)
    {
        var samples = new byte[height * width];
        int rowBytes = (width + 7) / 8;
        for (int i = 0; i < samples.Length; i++)
        {
            int x = i % width;
            samples[i] = (data[i / width * rowBytes + x / 8] >> (7 - x % 8) & 1) == 0 ? byte.MaxValue : byte.MinValue;
        }
        return new Bitmap(height, width, 1, samples);
    }

    /// <summary>Bits as text need no space between them.</summary>
    private static Bitmap ReadDigits(ReadOnlySpan<byte> data, int height, int width)
    {
        var samples = new byte[height * width];
        int at = 0;
        for (int i = 0; i < samples.Length; i++)
        {
            SkipSpace(data, ref at);
            samples[i] = data[at++] == '0' ? byte.MaxValue : byte.MinValue;
        }
        return new Bitmap(height, width, 1, samples);
    }

    private static string Token(ReadOnlySpan<byte> file, ref int at)
    {
        SkipSpace(file, ref at);
        int start = at;
        while (at < file.Length && !IsSpace(file[at]))
            at++;
        return Encoding.ASCII.GetString(file[start..at]);
    }

    private static void SkipSpace(ReadOnlySpan<byte> file, ref int at)
    {
        for (bool isComment = false; isComment || IsSpace(file[at]) || file[at] == '#'; at++)
            isComment = file[at] == '#' || isComment && file[at] != '\n';
    }

    private static int Whole(string text, int largest, int smallest = 1) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number >= smallest && number <= largest
            ? number
            : throw new InvalidDataException($"{text} is not a number from {smallest} to {largest}");

    private static bool IsSpace(byte character) => character is (byte)' ' or (>= 9 and <= 13);
}
