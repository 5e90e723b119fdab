using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SapaGpu.Workloads.Npy;

/// <summary>
/// Reads .npy files (format versions 1 to 3, both orders of bytes and of dimensions) as NumPy's documentation describes
/// them, and writes them little-endian and in C order. Whole and real numbers of 8 to 64 bits are read and written.
/// </summary>
internal static partial class NpyFile
{
    private const int Alignment = 64;

    /// <summary>Names of the fields of records need more, and those are not read.</summary>
    private const int LongestHeader = 1 << 16;
    private static readonly byte[] Magic = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Whether a file begins as a .npy file does.</summary>
    public static bool IsNpy(ReadOnlySpan<byte> start) => start.StartsWith(Magic);

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">The file is no .npy file, or of a kind that is not supported.</exception>
    public static NpyArray Read(string path)
    {
        using var stream = File.OpenRead(path);
        return Decode(ReadElements(stream, path));
    }

    /// <summary>Reads the bytes of an array, without making numbers of them.</summary>
    /// <param name="stream">The file, which knows its length.</param>
    /// <param name="name">The name of the file in messages.</param>
    /// <exception cref="InvalidDataException">The file is no .npy file, or of a kind that is not supported.</exception>
    public static NpyElements ReadElements(Stream stream, string name) => ReadElements(stream, stream.Length, name);

    /// <summary>Reads the bytes of an array from a stream that does not know its length.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="length">The length that it should have.</param>
    /// <param name="name">The name of the file in messages.</param>
    /// <exception cref="InvalidDataException">The file is no .npy file, or of a kind that is not supported.</exception>
    /// <exception cref="EndOfStreamException">The file is shorter.</exception>
    public static NpyElements ReadElements(Stream stream, long length, string name)
    {
        var (stored, isFortran, shape, start) = ReadHeader(stream, name);
        bool isBigEndian = stored.StartsWith('>');
        string descriptor = isBigEndian ? $"<{stored[1..]}" : stored;
        long count = 1;
        foreach (int size in shape)
            count = Math.Min(count, Array.MaxLength + 1L) * size;
        int elementSize = FindElementSize(descriptor) ?? throw new InvalidDataException(
            $"{name}: elements of type '{Printable(stored)}' are not supported; save whole or real numbers of at most 64 bits.");
        if (count * elementSize > Array.MaxLength || length - start != count * elementSize)
        {
            throw new InvalidDataException(
                $"{name}: {count:N0} elements of {elementSize} bytes are announced, and " +
                $"{length - start:N0} bytes are there.");
        }
        var bytes = new byte[count * elementSize];
        stream.ReadExactly(bytes);
        if (isBigEndian)
            NpyElements.ReverseElements(bytes, elementSize);
        return new NpyElements(
            shape, descriptor, isFortran ? NpyElements.ToRowMajor(bytes, shape, elementSize) : bytes);
    }

    /// <summary>Reads the dimensions of an array and nothing after them.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="name">The name of the file in messages.</param>
    /// <exception cref="InvalidDataException">The file is no .npy file.</exception>
    public static int[] ReadShape(Stream stream, string name) => ReadHeader(stream, name).Shape;

    /// <summary>Makes numbers of the bytes of an array.</summary>
    public static NpyArray Decode(NpyElements elements)
    {
        int elementSize = ElementSize(elements.Descriptor);
        int count = elements.Bytes.Length / elementSize;
        return new NpyArray(elements.Shape, Decode(elements.Bytes, elements.Descriptor, elementSize, count))
        {
            Descriptor = elements.Descriptor,
        };
    }

    /// <summary>The bytes of an element.</summary>
    /// <exception cref="NotSupportedException">Elements of that type are not supported.</exception>
    public static int ElementSize(string descriptor) =>
        FindElementSize(descriptor) ?? throw new NotSupportedException($"Elements of type '{descriptor}'.");

    /// <summary>Writes what comes before the elements.</summary>
    public static void WriteHeader(Stream stream, string descriptor, ReadOnlySpan<int> shape)
    {
        var dimensions = new StringBuilder();
        foreach (int size in shape)
            dimensions.Append(CultureInfo.InvariantCulture, $"{size}, ");
        string header = $"{{'descr': '{descriptor}', 'fortran_order': False, 'shape': ({dimensions}), }}";
        int prefix = Magic.Length + 4;
        int padded = (prefix + header.Length + 1 + Alignment - 1) / Alignment * Alignment - prefix;
        stream.Write(Magic);
        stream.Write([1, 0, (byte)padded, (byte)(padded >> 8)]);
        stream.Write(Encoding.ASCII.GetBytes(header.PadRight(padded - 1) + "\n"));
    }

    /// <summary>Writes one element; whole numbers are rounded and clamped to their range.</summary>
    public static void Encode(double value, string descriptor, Span<byte> element)
    {
        double whole = Math.Round(value);
        switch (descriptor)
        {
            case "|b1":
                element[0] = value >= 0.5 ? (byte)1 : (byte)0;
                break;
            case "|u1":
                element[0] = byte.CreateSaturating(whole);
                break;
            case "|i1":
                element[0] = (byte)sbyte.CreateSaturating(whole);
                break;
            case "<u2":
                BinaryPrimitives.WriteUInt16LittleEndian(element, ushort.CreateSaturating(whole));
                break;
            case "<i2":
                BinaryPrimitives.WriteInt16LittleEndian(element, short.CreateSaturating(whole));
                break;
            case "<f2":
                BinaryPrimitives.WriteHalfLittleEndian(element, (Half)value);
                break;
            case "<u4":
                BinaryPrimitives.WriteUInt32LittleEndian(element, uint.CreateSaturating(whole));
                break;
            case "<i4":
                BinaryPrimitives.WriteInt32LittleEndian(element, int.CreateSaturating(whole));
                break;
            case "<f4":
                BinaryPrimitives.WriteSingleLittleEndian(element, (float)value);
                break;
            case "<u8":
                BinaryPrimitives.WriteUInt64LittleEndian(element, ulong.CreateSaturating(whole));
                break;
            case "<i8":
                BinaryPrimitives.WriteInt64LittleEndian(element, long.CreateSaturating(whole));
                break;
            default:
                BinaryPrimitives.WriteDoubleLittleEndian(element, value);
                break;
        }
    }

    /// <summary>Writes values in single precision.</summary>
    public static void Write(string path, ReadOnlySpan<int> shape, ReadOnlySpan<float> values)
    {
        using var stream = Create(path, "<f4", shape);
        Span<byte> element = stackalloc byte[sizeof(float)];
        foreach (float value in values)
        {
            BinaryPrimitives.WriteSingleLittleEndian(element, value);
            stream.Write(element);
        }
    }

    /// <summary>Writes values in double precision.</summary>
    public static void Write(string path, ReadOnlySpan<int> shape, ReadOnlySpan<double> values)
    {
        using var stream = Create(path, "<f8", shape);
        Span<byte> element = stackalloc byte[sizeof(double)];
        foreach (double value in values)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(element, value);
            stream.Write(element);
        }
    }

    private static BufferedStream Create(string path, string descriptor, ReadOnlySpan<int> shape)
    {
        var stream = new BufferedStream(File.Create(path), 1 << 20);
        WriteHeader(stream, descriptor, shape);
        return stream;
    }

    private static (string Descriptor, bool IsFortran, int[] Shape, long Length) ReadHeader(Stream stream, string path)
    {
        var start = new byte[8];
        if (stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length
            || !start.AsSpan(0, Magic.Length).SequenceEqual(Magic) || start[6] is < 1 or > 3)
        {
            throw new InvalidDataException($"{path}: this is no .npy file.");
        }
        var lengthBytes = new byte[start[6] == 1 ? 2 : 4];
        int lengthCount = stream.ReadAtLeast(lengthBytes, lengthBytes.Length, throwOnEndOfStream: false);
        long length = lengthBytes.Length == 2
            ? BinaryPrimitives.ReadUInt16LittleEndian(lengthBytes)
            : BinaryPrimitives.ReadUInt32LittleEndian(lengthBytes);
        if (length > LongestHeader)
            throw new InvalidDataException($"{path}: a header of {length:N0} bytes is no header of an array of numbers.");
        var text = new byte[length];
        if (lengthCount < lengthBytes.Length || stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false) < text.Length)
            throw new InvalidDataException($"{path}: the header is cut off.");
        string header = Encoding.UTF8.GetString(text);

        var descriptor = DescriptorPattern().Match(header);
        var order = OrderPattern().Match(header);
        var shape = ShapePattern().Match(header);
        if (!descriptor.Success || !order.Success || !shape.Success)
            throw new InvalidDataException($"{path}: the header is not understood: {Printable(header)}");
        var sizes = shape.Groups[1].Value
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(size => int.TryParse(size, CultureInfo.InvariantCulture, out int number)
                ? number
                : throw new InvalidDataException($"{path}: a dimension of {Printable(size)} is too large."))
            .ToArray();
        return (descriptor.Groups[1].Value, order.Groups[1].Value == "True", sizes, start.Length + lengthBytes.Length + length);
    }

    // What a damaged file says may be long, or move the cursor of a terminal.
    private static string Printable(string text)
    {
        const int ShownLength = 100;
        return new string([.. text.Trim().Take(ShownLength).Select(letter => char.IsControl(letter) ? '?' : letter)]);
    }

    private static int? FindElementSize(string descriptor) => descriptor switch
    {
        "|b1" or "|u1" or "|i1" => 1,
        "<u2" or "<i2" or "<f2" => 2,
        "<u4" or "<i4" or "<f4" => 4,
        "<u8" or "<i8" or "<f8" => 8,
        _ => null,
    };

    private static double[] Decode(byte[] bytes, string descriptor, int elementSize, int count)
    {
        var values = new double[count];
        for (int i = 0; i < count; i++)
        {
            var element = bytes.AsSpan(i * elementSize, elementSize);
            values[i] = descriptor switch
            {
                "|i1" => (sbyte)element[0],
                "<u2" => BinaryPrimitives.ReadUInt16LittleEndian(element),
                "<i2" => BinaryPrimitives.ReadInt16LittleEndian(element),
                "<f2" => (double)BinaryPrimitives.ReadHalfLittleEndian(element),
                "<u4" => BinaryPrimitives.ReadUInt32LittleEndian(element),
                "<i4" => BinaryPrimitives.ReadInt32LittleEndian(element),
                "<f4" => BinaryPrimitives.ReadSingleLittleEndian(element),
                "<u8" => BinaryPrimitives.ReadUInt64LittleEndian(element),
                "<i8" => BinaryPrimitives.ReadInt64LittleEndian(element),
                "<f8" => BinaryPrimitives.ReadDoubleLittleEndian(element),
                _ => element[0],
            };
        }
        return values;
    }

    [GeneratedRegex(@"'descr'\s*:\s*'([^']*)'")]
    private static partial Regex DescriptorPattern();

    [GeneratedRegex(@"'fortran_order'\s*:\s*(True|False)")]
    private static partial Regex OrderPattern();

    [GeneratedRegex(@"'shape'\s*:\s*\(([0-9,\s]*)\)")]
    private static partial Regex ShapePattern();
}
