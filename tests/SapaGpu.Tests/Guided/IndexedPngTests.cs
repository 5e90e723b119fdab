using NetVips;
using NUnit.Framework;
using SapaGpu.Cli.Images;

namespace SapaGpu.Tests.Guided;

[TestFixture]
internal sealed class IndexedPngTests
{
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(4)]
    [TestCase(8)]
    public void Indices_and_colours_come_back(int bitDepth)
    {
        using var folder = new TemporaryFolder();
        var palette = ChancePalette(bitDepth, alphaCount: 2);
        var indices = ChanceIndices(13, 21, palette.Count);
        IndexedPng.Write(folder["a.png"], indices, palette);

        var (readIndices, readPalette) = IndexedPng.TryRead(folder["a.png"])!.Value;
        Assert.That(readIndices.Values, Is.EqualTo(indices.Values));
        Assert.That(readPalette.BitDepth, Is.EqualTo(bitDepth));
        Assert.That(readPalette.Colours, Is.EqualTo(palette.Colours));
        Assert.That(readPalette.Alpha, Is.EqualTo(palette.Alpha));
    }

    [Test]
    public void Another_reader_sees_the_same_colours()
    {
        using var folder = new TemporaryFolder();
        var palette = ChancePalette(4, alphaCount: 3);
        var indices = ChanceIndices(9, 14, palette.Count);
        IndexedPng.Write(folder["a.png"], indices, palette);
        var (expanded, _) = ImageFile.ReadSamples(folder["a.png"]);
        Assert.That(expanded.Channels, Is.EqualTo(4));
        Assert.That(expanded.Values, Is.EqualTo(palette.Expand(indices).Values));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Files_of_another_writer_are_read(bool interlaced)
    {
        using var folder = new TemporaryFolder();
        var scene = DemoScene.Draw(45, 61);
        var colours = DemoScene.Palette.Expand(scene.Labels);
        using (var image = Image.NewFromMemory(
            Array.ConvertAll(colours.Values, value => (byte)value), 61, 45, 3, Enums.BandFormat.Uchar))
        using (var interpreted = image.Copy(interpretation: Enums.Interpretation.Srgb))
        {
            interpreted.Pngsave(
                folder["a.png"], interlace: interlaced, palette: true, filter: Enums.ForeignPngFilter.All);
        }

        var (indices, palette) = IndexedPng.TryRead(folder["a.png"])!.Value;
        Assert.That(palette.Expand(indices).Values, Is.EqualTo(ImageFile.ReadSamples(folder["a.png"]).Raster.Values));
    }

    [TestCase(1, true)]
    [TestCase(6, false)]
    public void Turned_images_are_refused(byte orientation, bool isRead)
    {
        using var folder = new TemporaryFolder();
        IndexedPng.Write(folder["a.png"], ChanceIndices(5, 7, 4), ChancePalette(2, alphaCount: 0));
        byte[] exif =
        [
            (byte)'I', (byte)'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0,
        ];
        using (var chunk = new MemoryStream())
        {
            new PngChunk("eXIf", exif).Write(chunk);
            const int EndOfHeader = 8 + 12 + 13;
            byte[] plain = File.ReadAllBytes(folder["a.png"]);
            File.WriteAllBytes(folder["a.png"], [.. plain[..EndOfHeader], .. chunk.ToArray(), .. plain[EndOfHeader..]]);
        }
        Assert.That(
            () => IndexedPng.TryRead(folder["a.png"]),
            isRead ? Throws.Nothing : Throws.InstanceOf<InvalidDataException>().With.Message.Contains("upright"));
    }

    [Test]
    public void Every_row_filter_is_undone()
    {
        byte[] above = [10, 200, 30, 250], row = [20, 190, 35, 1];
        var filtered = new Dictionary<byte, byte[]>
        {
            [0] = [20, 190, 35, 1],
            [1] = [20, 170, 101, 222],
            [2] = [10, 246, 5, 7],
            [3] = [15, 80, 181, 115],
            [4] = [10, 246, 5, 7],
        };
        foreach (var (filter, line) in filtered)
        {
            PngFilter.Undo(filter, line, above);
            Assert.That(line, Is.EqualTo(row), $"filter {filter}");
        }
        Assert.That(() => PngFilter.Undo(5, new byte[1], new byte[1]), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void Files_without_a_palette_are_left_to_others()
    {
        using var folder = new TemporaryFolder();
        ImageFile.Write(folder["grey.png"], new Raster(3, 4, 1), SampleType.UInt8);
        ImageFile.Write(folder["photo.jpg"], new Photo(8, 8));
        Assert.That(IndexedPng.TryRead(folder["grey.png"]), Is.Null);
        Assert.That(IndexedPng.TryRead(folder["photo.jpg"]), Is.Null);
    }

    [Test]
    public void Damage_is_noticed_wherever_it_is()
    {
        using var folder = new TemporaryFolder();
        var palette = ChancePalette(2, alphaCount: 0);
        IndexedPng.Write(folder["a.png"], ChanceIndices(20, 20, palette.Count), palette);
        var bytes = File.ReadAllBytes(folder["a.png"]);
        for (int i = 8; i < bytes.Length; i++)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[i] ^= 0x55;
            File.WriteAllBytes(folder["damaged.png"], damaged);
            Assert.That(() => IndexedPng.TryRead(folder["damaged.png"]), Throws.TypeOf<InvalidDataException>());
        }
        for (int length = 8; length < bytes.Length; length++)
        {
            File.WriteAllBytes(folder["damaged.png"], bytes[..length]);
            Assert.That(() => IndexedPng.TryRead(folder["damaged.png"]), Throws.TypeOf<InvalidDataException>());
        }
    }

    private static Palette ChancePalette(int bitDepth, int alphaCount)
    {
        var random = new Random(bitDepth);
        var colours = new byte[3 << bitDepth];
        var alpha = new byte[alphaCount];
        random.NextBytes(colours);
        random.NextBytes(alpha);
        return new Palette(bitDepth, colours, alpha);
    }

    private static Raster ChanceIndices(int height, int width, int count)
    {
        var random = new Random(height);
        var raster = new Raster(height, width, 1);
        for (int i = 0; i < raster.Values.Length; i++)
            raster.Values[i] = random.Next(count);
        return raster;
    }
}
