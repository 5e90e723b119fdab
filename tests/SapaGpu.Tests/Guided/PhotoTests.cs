using System.Buffers.Binary;
using System.Text;
using NetVips;
using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Images;

namespace SapaGpu.Tests.Guided;

/// <summary>Photos as guides, in every format that is not left to libvips alone.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class PhotoTests : UpsampleFixture
{
    private const int Height = UpsampleRuns.Height;
    private const int Width = UpsampleRuns.Width;

    private byte[] Samples => Runs.Photo.Samples;

    [TestCase(255.0, 3, Enums.BandFormat.Float)]
    [TestCase(255.0, 1, Enums.BandFormat.Float)]
    [TestCase(255.0, 3, Enums.BandFormat.Double)]
    [TestCase(1.0, 3, Enums.BandFormat.Float)]
    [TestCase(1 / 257.0, 3, Enums.BandFormat.Float)]
    public void Floating_point_photos_are_those_of_eight_bits(double divisor, int channels, Enums.BandFormat format)
    {
        using (var image = Image.NewFromFile(Runs["photo.png"]))
        using (var some = image.ExtractBand(0, n: channels))
        using (var numbers = some.Linear([1 / divisor], [0]).Cast(format))
        {
            numbers.Copy(interpretation: channels == 1 ? Enums.Interpretation.Bw : Enums.Interpretation.Scrgb)
                .Tiffsave(Runs["float.tif"]);
        }
        var expected = channels == 3 ? Samples : [.. Samples.Select((_, i) => Samples[i / 3 * 3])];
        Assert.That(ImageFile.ReadPhoto(Runs["float.tif"]).Samples, Is.EqualTo(expected));
    }

    [TestCase(2, -1, "from -1 to 1")]
    [TestCase(1e6, 0, "1000000")]
    [TestCase(0, double.NaN, "not finite")]
    public void Floating_point_photos_of_unknown_white_are_refused(double factor, double offset, string text)
    {
        using (var image = Image.Identity().Linear([factor / 255], [offset]).Cast(Enums.BandFormat.Float))
            image.Tiffsave(Runs["float.tif"]);
        Assert.That(
            () => ImageFile.ReadPhoto(Runs["float.tif"]),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("float.tif").And.Message.Contains(text));
    }

    [Test]
    public void Colour_profiles_are_applied()
    {
        using (var image = Image.NewFromFile(Runs["photo.png"]))
        using (var wide = image.IccTransform("p3", inputProfile: "srgb"))
        {
            wide.Pngsave(Runs["wide.png"]);
            Assert.That(Difference(wide.WriteToMemory<byte>()), Is.GreaterThan(3));
        }
        Assert.That(Difference(ImageFile.ReadPhoto(Runs["wide.png"]).Samples), Is.LessThan(1.5));
    }

    [Test]
    public void A_damaged_profile_is_ignored()
    {
        using (var image = Image.NewFromFile(Runs["photo.png"]))
        using (var marked = image.Mutate(mutable =>
            mutable.Set(GValue.BlobType, "icc-profile-data", Encoding.ASCII.GetBytes(new string('x', 200)))))
            marked.Tiffsave(Runs["marked.tif"]);
        Assert.That(ImageFile.ReadPhoto(Runs["marked.tif"]).Samples, Is.EqualTo(Samples));
    }

    [Test]
    public void Bmp_is_read([Values(24, 32)] int bits, [Values] bool isTopDown)
    {
        int bytes = bits / 8;
        var pixels = new byte[Height * Width * bytes];
        for (int i = 0; i < Height * Width; i++)
        {
            int row = isTopDown ? i / Width : Height - 1 - i / Width;
            for (int c = 0; c < 3; c++)
                pixels[i * bytes + 2 - c] = Samples[(row * Width + i % Width) * 3 + c];
        }
        File.WriteAllBytes(Runs["photo.bmp"], Bmp(Width, isTopDown ? -Height : Height, bits, 0, [], pixels));
        Assert.That(ImageFile.ReadPhoto(Runs["photo.bmp"]).Samples, Is.EqualTo(Samples));
    }

    [TestCase(8)]
    [TestCase(24)]
    [TestCase(32)]
    public void Bmp_that_is_cut_off_is_refused_before_its_pixels_have_memory(int bits)
    {
        byte[] file = Bmp(20000, 12000, bits, 0, [], new byte[64]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => BmpReader.Read(file), Throws.InstanceOf<InvalidDataException>().With.Message.Contains("cut off"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    [Test]
    public void Bmp_with_a_palette_has_indices_and_colours()
    {
        byte[] palette = [10, 20, 30, 0, 40, 50, 60, 0, 70, 80, 90, 0];
        byte[] runLengths = [3, 1, 0, 0, 0, 3, 2, 0, 1, 0, 0, 1];
        File.WriteAllBytes(Runs["Runs.bmp"], Bmp(3, 2, 8, 1, palette, runLengths));
        File.WriteAllBytes(Runs["plain.bmp"], Bmp(3, 2, 8, 0, palette, [1, 1, 1, 0, 2, 0, 1, 0]));
        float[] indices = [2, 0, 1, 1, 1, 1];
        foreach (string name in (string[])["Runs.bmp", "plain.bmp"])
        {
            var (raster, colours) = PaletteReader.TryRead(InputFile.Open(Runs[name]))!.Value;
            Assert.That(raster.Values, Is.EqualTo(indices));
            Assert.That(colours.ColourOf(1).ToArray(), Is.EqualTo(new byte[] { 60, 50, 40 }));
            Assert.That(ImageFile.ReadSamples(Runs[name]).Raster.Values, Is.EqualTo(colours.Expand(raster).Values));
        }
        File.WriteAllBytes(Runs["mask.bmp"], Bmp(3, 1, 1, 0, [0, 0, 0, 0, 255, 255, 255, 0], [0xa0, 0, 0, 0]));
        var (mask, _) = ImageFile.ReadSamples(Runs["mask.bmp"]);
        Assert.That((mask.Channels, mask.Values), Is.EqualTo((1, new float[] { 255, 0, 255 })));
    }

    [TestCase("P6\n# a photo\n{0} {1}\n255\n", 255)]
    [TestCase("P6 {0}\t{1} 65535\n", 65535)]
    [TestCase("P6\n{0} {1} 1023\n", 1023)]
    [TestCase("P3\n{0} {1}\n255\n", 255)]
    public void Ppm_is_read(string header, int white)
    {
        string start = string.Format(System.Globalization.CultureInfo.InvariantCulture, header, Width, Height);
        using (var file = File.Create(Runs["photo.ppm"]))
        {
            file.Write(Encoding.ASCII.GetBytes(start));
            foreach (byte sample in Samples)
            {
                int value = (int)Math.Round(sample * (double)white / 255);
                if (header[1] == '3')
                    file.Write(Encoding.ASCII.GetBytes($"{value}\n"));
                else
                    file.Write(white > 255 ? [(byte)(value >> 8), (byte)value] : [(byte)value]);
            }
        }
        Assert.That(Difference(ImageFile.ReadPhoto(Runs["photo.ppm"]).Samples), Is.LessThan(0.01));
    }

    [TestCase("P2 3 1 20\n1 2 3", new float[] { 1, 2, 3 }, SampleType.UInt8)]
    [TestCase("P5 3 1 20\n\x01\x02\x03", new float[] { 1, 2, 3 }, SampleType.UInt8)]
    [TestCase("P5 1 1 1000\n\x01\x02", new float[] { 258 }, SampleType.UInt16)]
    [TestCase("P1 3 1\n101", new float[] { 0, 255, 0 }, SampleType.UInt8)]
    [TestCase("P4 3 1\n\x60", new float[] { 255, 0, 0 }, SampleType.UInt8)]
    public void Samples_of_portable_maps_stay_as_they_are(string text, float[] samples, SampleType type)
    {
        File.WriteAllBytes(Runs["map.pgm"], Encoding.Latin1.GetBytes(text));
        var (raster, readType) = ImageFile.ReadSamples(Runs["map.pgm"]);
        Assert.That((raster.Values, readType), Is.EqualTo((samples, type)));
        File.WriteAllBytes(Runs["map.pgm"], Encoding.Latin1.GetBytes(text[..^1]));
        Assert.That(
            () => ImageFile.ReadSamples(Runs["map.pgm"]),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("not a readable image"));
    }

    [TestCase("Pf\n2 2\n-1.0\n", 1)]
    [TestCase("PF\n2 2\n1\n", 3)]
    public void Pfm_is_read_from_the_lowest_row_up(string header, int channels)
    {
        var values = Enumerable.Range(0, 4 * channels).Select(i => i == 0 ? float.PositiveInfinity : i / 16f).ToArray();
        using (var file = File.Create(Runs["map.pfm"]))
        {
            file.Write(Encoding.ASCII.GetBytes(header));
            var number = new byte[4];
            foreach (float value in values)
            {
                BinaryPrimitives.WriteSingleLittleEndian(number, value);
                file.Write(header.Contains('-') ? number : [.. number.Reverse()]);
            }
        }
        var (raster, type) = ImageFile.ReadSamples(Runs["map.pfm"]);
        Assert.That((raster.Channels, type), Is.EqualTo((channels, SampleType.Float32)));
        Assert.That(
            raster.Values, Is.EqualTo((float[])[.. values[(2 * channels)..], .. values[..(2 * channels)]]));
    }

    [TestCase("heic", "mif1heic", "HEIC")]
    [TestCase("mif1", "mif1hevc", "HEIC")]
    [TestCase("crx ", "crx isom", "JPEG, PNG")]
    public void Formats_that_are_not_read_are_named(string brand, string compatible, string text)
    {
        string head = $"\0\0\0\u0018ftyp{brand}\0\0\0\0{compatible}";
        File.WriteAllBytes(Runs["photo.xyz"], Encoding.Latin1.GetBytes(head + new string('\0', 100)));
        ImageFile.Write(Runs["map.png"], new Raster(6, 8, 1), SampleType.UInt8);
        Runs.AssertRefuses(
            Runs.Upsample("map.png", "o.png", "--guide", Runs["photo.xyz"]), ExitCode.Failure, "photo.xyz", text);
        Runs.AssertRefuses(Runs.Upsample("photo.xyz", "o.png"), ExitCode.Failure, "photo.xyz", text);
    }

    private double Difference(byte[] samples) =>
        samples.Zip(Samples).Average(pair => Math.Abs(pair.First - pair.Second));

    private static byte[] Bmp(int width, int height, int bits, int compression, byte[] palette, byte[] pixels)
    {
        var header = new byte[54];
        "BM"u8.CopyTo(header);
        foreach (var (at, value) in new[]
        {
            (10, 54 + palette.Length), (14, 40), (18, width), (22, height), (28, bits), (30, compression),
            (46, palette.Length / 4),
        })
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(at), value);
        return [.. header, .. palette, .. pixels];
    }
}
