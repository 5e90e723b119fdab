using System.Buffers.Binary;

namespace SapaGpu.Tests.Guided;

/// <summary>Writes TIFF files of one strip without compression, of kinds that libvips does not write.</summary>
internal static class TinyTiff
{
    private const int Header = 8;

    public static void Write(
        string path,
        bool isBigEndian,
        int height,
        int width,
        byte[] samples,
        params (ushort Tag, ushort[] Values)[] more)
    {
        (ushort Tag, ushort[] Values)[] entries =
        [
            .. more, (256, [(ushort)width]), (257, [(ushort)height]), (259, [1]), (278, [(ushort)height]),
            (279, [(ushort)samples.Length]),
        ];
        var ordered = entries.Append((Tag: (ushort)273, Values: [0])).OrderBy(entry => entry.Tag).ToList();
        int directory = 2 + 12 * ordered.Count + 4;
        int arrays = Header + directory;
        int strip = arrays + ordered.Where(entry => entry.Values.Length > 2).Sum(entry => 2 * entry.Values.Length);
        var file = new byte[strip + samples.Length];
        (isBigEndian ? "MM"u8 : "II"u8).CopyTo(file);
        Put(2, 42);
        Put(isBigEndian ? 6 : 4, Header);
        Put(Header, (ushort)ordered.Count);
        int at = Header + 2;
        foreach (var (tag, stored) in ordered)
        {
            var values = tag == 273 ? [(ushort)strip] : stored;
            Put(at, tag);
            Put(at + 2, 3);
            Put(at + (isBigEndian ? 6 : 4), (ushort)values.Length);
            bool isInline = values.Length <= 2;
            if (!isInline)
                Put(at + (isBigEndian ? 10 : 8), (ushort)arrays);
            for (int i = 0; i < values.Length; i++)
                Put((isInline ? at + 8 : arrays) + 2 * i, values[i]);
            arrays += isInline ? 0 : 2 * values.Length;
            at += 12;
        }
        samples.CopyTo(file, strip);
        File.WriteAllBytes(path, file);

        void Put(int position, ushort value)
        {
            if (isBigEndian)
                BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(position), value);
            else
                BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(position), value);
        }
    }
}
