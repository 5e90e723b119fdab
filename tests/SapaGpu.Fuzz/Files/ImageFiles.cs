using System.Text;
using NetVips;
using SapaGpu.Cli.Images;

namespace SapaGpu.Fuzz.Files;

/// <summary>Images of every format that the tool reads, as maps and as photos.</summary>
internal static class ImageFiles
{
    private const int Width = 13;
    private const int Height = 9;

    private static readonly string[] Formats =
    [
        ".png", ".png[palette=true]", ".png[bitdepth=1]", ".png[interlace=true]", ".tif", ".tif[compression=lzw]",
        ".tif[compression=deflate,predictor=horizontal]", ".tif[tile=true,tile-width=16,tile-height=16]",
        ".tif[compression=packbits]", ".gif", ".jpg", ".webp",
    ];

    private static readonly (string Name, string Header, int Length)[] Portable =
    [
        ("bits.pbm", $"P4\n{Width} {Height}\n", (Width + 7) / 8 * Height),
        ("grey.pgm", $"P5\n{Width} {Height}\n255\n", Width * Height),
        ("deep.pgm", $"P5\n{Width} {Height}\n65535\n", 2 * Width * Height),
        ("colour.ppm", $"P6\n{Width} {Height}\n255\n", 3 * Width * Height),
        ("grey.pfm", $"Pf\n{Width} {Height}\n-1.0\n", 4 * Width * Height),
        ("colour.pfm", $"PF\n{Width} {Height}\n1.0\n", 12 * Width * Height),
    ];

    public static IEnumerable<SoundFile> All()
    {
        using var grey = Grey();
        using var colours = grey.Bandjoin([grey.Linear([0.5], [3]), grey.Invert()]).Cast(Enums.BandFormat.Uchar)
            .Copy(interpretation: Enums.Interpretation.Srgb);
        using var deep = grey.Linear([200], [0]).Cast(Enums.BandFormat.Ushort).Copy(interpretation: Enums.Interpretation.Grey16);
        foreach (string format in Formats)
        {
            string extension = format.Split('[')[0];
            yield return new($"grey{extension}", Write(grey, format), Read);
            yield return new($"colour{extension}", Write(colours, format), Read);
            if (extension is ".png" or ".tif" && !format.Contains("palette", StringComparison.Ordinal) && !format.Contains("bitdepth", StringComparison.Ordinal))
                yield return new($"deep{extension}", Write(deep, format), Read);
        }
        foreach (var (name, header, length) in Portable)
            yield return new(name, [.. Encoding.ASCII.GetBytes(header), .. Enumerable.Range(0, length).Select(i => (byte)(i % 53))], Read);
        yield return new("text.pgm", Encoding.ASCII.GetBytes("P2 # grey\n3 2\n255\n0 1 2\n253 254 255\n"), Read);
        yield return new("colour.bmp", Bmp(bits: 24), Read);
        yield return new("indexed.bmp", Bmp(bits: 8), Read);
    }

    private static void Read(string path)
    {
        InvalidDataException? refusal = null;
        try
        {
            _ = ImageFile.ReadPhoto(path).Samples.Length;
        }
        catch (InvalidDataException e)
        {
            refusal = e;
        }
        ArrayFiles.ReadMap(path);
        if (refusal is not null)
            throw refusal;
    }

    private static Image Grey()
    {
        var samples = new byte[Width * Height];
        for (int i = 0; i < samples.Length; i++)
            samples[i] = (byte)(i * 7);
        using var image = Image.NewFromMemory(samples, Width, Height, 1, Enums.BandFormat.Uchar);
        return image.Copy(interpretation: Enums.Interpretation.Bw);
    }

    private static byte[] Write(Image image, string format)
    {
        using var folder = new TemporaryFolder();
        string path = folder[$"image{format.Split('[')[0]}"];
        image.WriteToFile($"{path}{format[Path.GetExtension(path).Length..]}");
        return File.ReadAllBytes(path);
    }

    // A header of 40 bytes, rows from below, padded to four bytes.
    private static byte[] Bmp(int bits)
    {
        int palette = bits == 8 ? 256 * 4 : 0;
        int row = (Width * bits / 8 + 3) / 4 * 4;
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("BM"u8);
        writer.Write(54 + palette + row * Height);
        writer.Write(0);
        writer.Write(54 + palette);
        writer.Write(40);
        writer.Write(Width);
        writer.Write(Height);
        writer.Write((short)1);
        writer.Write((short)bits);
        writer.Write(new byte[24]);
        for (int i = 0; i < palette / 4; i++)
            writer.Write(i * 0x010101);
        for (int i = 0; i < row * Height; i++)
            writer.Write((byte)(i * 5));
        return stream.ToArray();
    }
}
