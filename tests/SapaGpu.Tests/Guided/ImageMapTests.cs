using System.Buffers.Binary;
using NetVips;
using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Images;

namespace SapaGpu.Tests.Guided;

/// <summary>Maps that are images, from files to files.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class ImageMapTests : UpsampleFixture
{
    private const int Height = UpsampleRuns.MapHeight;
    private const int Width = UpsampleRuns.MapWidth;

    private static float[] Ramp => Array.ConvertAll(UpsampleRuns.Ramp(), value => (float)value);

    [Test]
    public void Indices_beyond_the_palette_are_classes()
    {
        var indices = new Raster(Height, Width, 1);
        indices.Values[5] = 2;
        indices.Values[20] = 255;
        WriteShortPalette("map.png", indices);
        Runs.Enlarge("map.png", "large.png", "--labels");
        Runs.Enlarge("map.png", "large.tif", "--labels");
        var (large, palette) = IndexedPng.TryRead(Runs["large.png"])!.Value;
        Assert.That(large.Values, Is.EqualTo(UpsampleRuns.Enlarge(indices.Values)));
        Assert.That(palette.ColourOf(2).ToArray(), Is.EqualTo(new byte[] { 0, 0, 200 }));
        Assert.That(palette.ColourOf(255).ToArray(), Is.EqualTo(new byte[3]));
        Assert.That(ImageFile.ReadSamples(Runs["large.tif"]).Raster.Values, Is.EqualTo(palette.Expand(large).Values));
    }

    [Test]
    public void Palette_tiff_keeps_indices_and_palette(
        [Values(1, 2, 4, 8)] int bits, [Values] bool isBigEndian, [Values] bool hasSmallColours)
    {
        int count = 1 << bits;
        var indices = Array.ConvertAll(Ramp, value => (byte)((int)value * 7 % count));
        var packed = new byte[Height * Width * bits / 8];
        for (int i = 0; i < indices.Length; i++)
            packed[i * bits / 8] |= (byte)(indices[i] << (8 - bits - i * bits % 8));
        var colours = Enumerable.Range(0, 3 * count).Select(i => (ushort)(i * 37 % 256)).ToArray();
        var stored = hasSmallColours ? colours : Array.ConvertAll(colours, colour => (ushort)(colour * 257));
        TinyTiff.Write(
            Runs["map.tif"], isBigEndian, Height, Width, packed,
            (258, [(ushort)bits]), (262, [3]), (277, [1]), (320, stored));

        Runs.Enlarge("map.tif", "large.png", "--labels");
        var (large, palette) = IndexedPng.TryRead(Runs["large.png"])!.Value;
        Assert.That(large.Values, Is.EqualTo(UpsampleRuns.Enlarge(Array.ConvertAll(indices, index => (float)index))));
        Assert.That(
            palette.Colours,
            Is.EqualTo(Enumerable.Range(0, 3 * count).Select(i => (byte)colours[i % 3 * count + i / 3])));
    }

    [Test]
    public void Gif_keeps_indices_and_palette()
    {
        var labels = new Raster(Height, Width, 1, Array.ConvertAll(Ramp, value => value % 3));
        var colours = new Palette(2, [200, 10, 10, 10, 200, 10, 10, 10, 200], []).Expand(labels);
        using (var image = Image.NewFromMemory(
            Array.ConvertAll(colours.Values, value => (byte)value), Width, Height, 3, Enums.BandFormat.Uchar))
        using (var interpreted = image.Copy(interpretation: Enums.Interpretation.Srgb))
            interpreted.Gifsave(Runs["map.gif"], dither: 0);
        Runs.Enlarge("map.gif", "large.png", "--labels");
        var (large, palette) = IndexedPng.TryRead(Runs["large.png"])!.Value;
        Assert.That(large.Values.Distinct().Count(), Is.EqualTo(3));
        using var stored = Image.NewFromFile(Runs["map.gif"]);
        using var opaque = stored.ExtractBand(0, n: 3);
        var pixels = opaque.WriteToMemory<byte>().Chunk(3).ToList();
        Assert.That(
            palette.Expand(large).Values.Chunk(palette.ColourChannels).Select(colour => colour[..3]),
            Is.EqualTo(UpsampleRuns.Enlarge(pixels)));
    }

    [TestCase(SampleType.Int8, -100f)]
    [TestCase(SampleType.Int16, -9999f)]
    [TestCase(SampleType.Int32, -100000f)]
    [TestCase(SampleType.UInt32, 3e9f)]
    [TestCase(SampleType.Float64, -1.5f)]
    public void Whole_and_real_samples_of_every_size_survive_in_tiff(SampleType type, float special)
    {
        for (int channels = 1; channels <= 4; channels += 3)
        {
            var values = Enumerable.Range(0, Height * Width * channels).Select(i => i < channels ? special : i % 90f);
            ImageFile.Write(Runs["map.tif"], new Raster(Height, Width, channels, [.. values]), type);
            Runs.Enlarge("map.tif", "large.tif");
            UpsampleRuns.AssertSucceeds(Runs.Upsample("map.tif", "averages.tif", "--method", "bilinear"));
            var (large, largeType) = ImageFile.ReadSamples(Runs["large.tif"]);
            var (averages, averagesType) = ImageFile.ReadSamples(Runs["averages.tif"]);
            Assert.That((largeType, averagesType), Is.EqualTo((type, type)));
            Assert.That(large.Channels, Is.EqualTo(channels));
            Assert.That(large.Values, Has.Some.EqualTo(special).And.Some.EqualTo(47f));
            Assert.That(averages.Values, Is.All.InRange(Math.Min(special, 0), Math.Max(special, 90)));
        }
        Runs.AssertRefuses(Runs.Upsample("map.tif", "o.png"), ExitCode.Failure, "o.png", ".tif");
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Double_precision_tiff_is_kept_to_the_bit_by_nearest(bool isBigEndian)
    {
        var values = UpsampleRuns.Ramp().Select(value => 5_400_000 + value / 10).ToArray();
        var bytes = new byte[8 * values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(8 * i), values[i]);
            if (isBigEndian)
                bytes.AsSpan(8 * i, 8).Reverse();
        }
        TinyTiff.Write(
            Runs["map.tif"], isBigEndian, Height, Width, bytes, (258, [64]), (262, [1]), (277, [1]), (339, [3]));
        Runs.Enlarge("map.tif", "large.tif");
        Assert.That(
            ImageFile.ReadSamples(InputFile.Open(Runs["large.tif"])).Numbers, Is.EqualTo(UpsampleRuns.Enlarge(values)));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Predicted_double_precision_tiff_is_read(bool isTiled)
    {
        var values = Enumerable.Range(0, 40 * 24 * 2).Select(i => Math.Sin(i) * 1e5).ToArray();
        using (var image = Image.NewFromMemory(values, 40, 24, 2, Enums.BandFormat.Double))
        {
            image.Tiffsave(
                Runs["map.tif"], compression: Enums.ForeignTiffCompression.Lzw,
                predictor: Enums.ForeignTiffPredictor.Horizontal, tile: isTiled, tileWidth: 16, tileHeight: 16);
        }
        Assert.That(ImageFile.ReadSamples(InputFile.Open(Runs["map.tif"])).Numbers, Is.EqualTo(values));
    }

    [TestCase(".tif")]
    [TestCase(".gif")]
    [TestCase(".webp")]
    public void Several_pages_are_refused_as_a_map_and_told_of_a_photo(string extension)
    {
        using (var image = Image.NewFromFile(Runs["photo.png"]))
        using (var inverse = image.Invert())
        using (var both = image.Join(inverse, Enums.Direction.Vertical))
        using (var pages = both.Mutate(mutable => mutable.Set(GValue.GIntType, "page-height", UpsampleRuns.Height)))
            pages.WriteToFile(Runs["pages" + extension]);
        Runs.AssertRefuses(
            Runs.Upsample("pages" + extension, "o.png"), ExitCode.Failure, "pages" + extension, "2 pages");

        ImageFile.Write(Runs["map.png"], new Raster(Height, Width, 1), SampleType.UInt8);
        var run = Runs.Upsample("map.png", "large.png", "--guide", Runs["pages" + extension], "--method", "nearest");
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Success));
        Assert.That(run.Errors, Does.Contain("pages" + extension).And.Contain("2 pages"));
    }

    [TestCase(Enums.Interpretation.Cmyk)]
    [TestCase(Enums.Interpretation.Lab)]
    public void Maps_in_colour_spaces_are_refused(Enums.Interpretation space)
    {
        using (var image = Image.NewFromFile(Runs["photo.png"]))
        using (var converted = image.Colourspace(space))
            converted.Tiffsave(Runs["map.tif"]);
        Runs.AssertRefuses(
            Runs.Upsample("map.tif", "o.tif"), ExitCode.Failure, "map.tif", space.ToString().ToUpperInvariant(), "RGB");
    }

    private void WriteShortPalette(string name, Raster indices)
    {
        // With a palette of three entries the writer would add those for all indices.
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, indices.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), indices.Height);
        (header[8], header[9]) = (8, 3);
        using var rows = new MemoryStream();
        using (var zlib = new System.IO.Compression.ZLibStream(
            rows, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
        {
            foreach (var row in indices.Values.Chunk(indices.Width))
                zlib.Write([0, .. row.Select(value => (byte)value)]);
        }
        using var file = File.Create(Runs[name]);
        PngChunk.WriteSignature(file);
        new PngChunk("IHDR", header).Write(file);
        new PngChunk("PLTE", [200, 0, 0, 0, 200, 0, 0, 0, 200]).Write(file);
        new PngChunk("IDAT", rows.ToArray()).Write(file);
        new PngChunk("IEND", []).Write(file);
    }
}
