using NetVips;
using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Images;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Guided;

/// <summary>The command from its arguments to its files; standard output and error are this process's own.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class UpsampleCommandTests
{
    private const int Height = 61;
    private const int Width = 83;
    private const int MapHeight = 9;
    private const int MapWidth = 11;

    private TemporaryFolder folder = null!;
    private DemoScene scene = null!;

    private IEnumerable<string?> Files => Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName);

    [OneTimeSetUp]
    public void Draw() => scene = DemoScene.Draw(Height, Width);

    [SetUp]
    public void WriteInputs()
    {
        folder = new TemporaryFolder();
        ImageFile.Write(folder["photo.png"], scene.Photo);
        ImageFile.Write(folder["mask.png"], SmallMaps.OfMask(scene.Mask, MapHeight, MapWidth), SampleType.UInt8);
        IndexedPng.Write(
            folder["labels.png"], SmallMaps.OfLabels(scene.Labels, MapHeight, MapWidth), DemoScene.Palette);
    }

    [TearDown]
    public void RemoveFiles() => folder.Dispose();

    [Test]
    public void Palette_survives()
    {
        AssertSucceeds(Upsample("labels.png", "large.png", "--labels"));
        var (indices, palette) = IndexedPng.TryRead(folder["large.png"])!.Value;
        Assert.That(palette.BitDepth, Is.EqualTo(DemoScene.Palette.BitDepth));
        Assert.That(palette.Colours, Is.EqualTo(DemoScene.Palette.Colours));
        double right = indices.Values.Zip(scene.Labels.Values).Average(pair => pair.First == pair.Second ? 1.0 : 0.0);
        Assert.That(right, Is.GreaterThan(0.8));
    }

    [Test]
    public void Palette_becomes_colours_where_the_format_has_none()
    {
        AssertSucceeds(Upsample("labels.png", "large.png", "--labels"));
        AssertSucceeds(Upsample("labels.png", "large.tif", "--labels"));
        var (indices, palette) = IndexedPng.TryRead(folder["large.png"])!.Value;
        var (colours, _) = ImageFile.ReadSamples(folder["large.tif"]);
        Assert.That(colours.Values, Is.EqualTo(palette.Expand(indices).Values));
    }

    [TestCase(".png")]
    [TestCase(".tif")]
    public void Sixteen_bits_and_channels_survive(string extension)
    {
        for (int channels = 1; channels <= 4; channels++)
        {
            var map = new Raster(MapHeight, MapWidth, channels);
            Array.Fill(map.Values, 40001);
            ImageFile.Write(folder["map" + extension], map, SampleType.UInt16);
            AssertSucceeds(Upsample("map" + extension, "large" + extension));
            var (large, type) = ImageFile.ReadSamples(folder["large" + extension]);
            Assert.That(type, Is.EqualTo(SampleType.UInt16));
            Assert.That((large.Height, large.Width, large.Channels), Is.EqualTo((Height, Width, channels)));
            Assert.That(large.Values, Is.All.EqualTo(40001));
        }
    }

    [Test]
    public void Floating_point_survives_in_tiff()
    {
        var map = new Raster(MapHeight, MapWidth, 1);
        Array.Fill(map.Values, 12.375f);
        ImageFile.Write(folder["map.tif"], map, SampleType.Float32);
        AssertSucceeds(Upsample("map.tif", "large.tif"));
        var (large, type) = ImageFile.ReadSamples(folder["large.tif"]);
        Assert.That(type, Is.EqualTo(SampleType.Float32));
        Assert.That(large.Values, Is.All.EqualTo(12.375f).Within(1e-5));
        AssertFails(Upsample("map.tif", "large.png"), "large.png", ".tif");
    }

    [Test]
    public void Colours_may_be_classes()
    {
        var colours = DemoScene.Palette.Expand(SmallMaps.OfLabels(scene.Labels, MapHeight, MapWidth));
        ImageFile.Write(folder["colours.png"], colours, SampleType.UInt8);
        AssertSucceeds(Upsample("colours.png", "large.png", "--labels"));
        AssertSucceeds(Upsample("labels.png", "indexed.png", "--labels"));
        var (indices, palette) = IndexedPng.TryRead(folder["indexed.png"])!.Value;
        Assert.That(
            ImageFile.ReadSamples(folder["large.png"]).Raster.Values, Is.EqualTo(palette.Expand(indices).Values));
    }

    [TestCase("|u1")]
    [TestCase("<i4")]
    [TestCase("<f2")]
    [TestCase("<f4")]
    [TestCase("<f8")]
    public void Arrays_come_back_in_their_layout_and_element_type(string descriptor)
    {
        var values = Enumerable.Range(0, MapHeight * MapWidth * 2).Select(i => (double)(i % 97)).ToArray();
        WriteArray("chw.npy", descriptor, [2, MapHeight, MapWidth], values);
        var interleaved = new double[values.Length];
        for (int i = 0; i < values.Length / 2; i++)
            (interleaved[2 * i], interleaved[2 * i + 1]) = (values[i], values[values.Length / 2 + i]);
        WriteArray("hwc.npy", descriptor, [MapHeight, MapWidth, 2], interleaved);
        WriteArray("hw.npy", descriptor, [MapHeight, MapWidth], values[..(values.Length / 2)]);

        AssertSucceeds(Upsample("chw.npy", "chw_large.npy"));
        AssertSucceeds(Upsample("hwc.npy", "hwc_large.npy"));
        AssertSucceeds(Upsample("hw.npy", "hw_large.npy"));
        var first = NpyFile.Read(folder["chw_large.npy"]);
        var last = NpyFile.Read(folder["hwc_large.npy"]);
        var plane = NpyFile.Read(folder["hw_large.npy"]);
        Assert.That(first.Shape, Is.EqualTo(new[] { 2, Height, Width }));
        Assert.That(last.Shape, Is.EqualTo(new[] { Height, Width, 2 }));
        Assert.That(plane.Shape, Is.EqualTo(new[] { Height, Width }));
        Assert.That(
            new[] { first.Descriptor, last.Descriptor, plane.Descriptor }, Is.All.EqualTo(descriptor));
        Assert.That(last.Values.Where((_, i) => i % 2 == 0), Is.EqualTo(first.Values[..(Height * Width)]));
        Assert.That(plane.Values, Is.EqualTo(first.Values[..(Height * Width)]));
    }

    [Test]
    public void Array_written_in_parts_is_the_one_written_at_once()
    {
        var values = Enumerable.Range(0, MapHeight * MapWidth).Select(i => (double)(i % 13)).ToArray();
        WriteArray("map.npy", "<f4", [1, MapHeight, MapWidth], values);
        AssertSucceeds(Upsample("map.npy", "parts.npy"));
        AssertSucceeds(Upsample("map.npy", "once.npy", "--compare", folder["figure.png"]));
        Assert.That(File.ReadAllBytes(folder["parts.npy"]), Is.EqualTo(File.ReadAllBytes(folder["once.npy"])));
    }

    [Test]
    public void Truth_gives_figures_and_the_figure_a_picture()
    {
        ImageFile.Write(folder["truth.png"], scene.Mask, SampleType.UInt8);
        var run = Upsample(
            "mask.png", "large.png", "--truth", folder["truth.png"], "--compare", folder["figure.png"]);
        AssertSucceeds(run);
        Assert.That(run.Output, Does.Contain("IoU").And.Contain("Boundary F").And.Contain("SAPA"));
        var (figure, _) = ImageFile.ReadSamples(folder["figure.png"]);
        Assert.That(figure.Width, Is.GreaterThan(3 * 400));
        Assert.That(Files, Is.EquivalentTo(
            new[] { "photo.png", "mask.png", "labels.png", "truth.png", "large.png", "figure.png" }));
    }

    [TestCase("nearest")]
    [TestCase("bilinear")]
    [TestCase("sapa")]
    public void Constant_stays_constant(string method)
    {
        var map = new Raster(MapHeight, MapWidth, 3);
        Array.Fill(map.Values, 77);
        ImageFile.Write(folder["map.png"], map, SampleType.UInt8);
        AssertSucceeds(Upsample("map.png", "large.webp", "--method", method));
        Assert.That(ImageFile.ReadSamples(folder["large.webp"]).Raster.Values, Is.All.EqualTo(77));
    }

    [Test]
    public void Photo_is_turned_upright()
    {
        using (var image = Image.NewFromFile(folder["photo.png"]))
        using (var lying = image.Rot90())
        using (var marked = lying.Mutate(mutable => mutable.Set(GValue.GIntType, "orientation", 8)))
            marked.Jpegsave(folder["photo.jpg"], q: 95);
        var photo = ImageFile.ReadPhoto(folder["photo.jpg"]);
        Assert.That((photo.Height, photo.Width), Is.EqualTo((Height, Width)));
        Assert.That(Difference(photo), Is.LessThan(8));
    }

    [TestCase(Enums.Interpretation.Cmyk, 24)]
    [TestCase(Enums.Interpretation.Lab, 3)]
    [TestCase(Enums.Interpretation.Rgb16, 1)]
    public void Photos_of_other_colour_spaces_are_converted(Enums.Interpretation space, double tolerance)
    {
        using (var image = Image.NewFromFile(folder["photo.png"]))
        using (var converted = image.Colourspace(space))
            converted.Tiffsave(folder["photo.tif"]);
        Assert.That(Difference(ImageFile.ReadPhoto(folder["photo.tif"])), Is.LessThan(tolerance));
    }

    [Test]
    public void Grey_photo_and_photo_with_alpha_are_read()
    {
        using (var image = Image.NewFromFile(folder["photo.png"]))
        using (var grey = image.Colourspace(Enums.Interpretation.Bw))
        using (var transparent = image.Bandjoin(0))
        {
            grey.Pngsave(folder["grey.png"]);
            transparent.Pngsave(folder["transparent.png"]);
        }
        Assert.That(ImageFile.ReadPhoto(folder["transparent.png"]).Samples, Is.EqualTo(scene.Photo.Samples));
        var pixel = ImageFile.ReadPhoto(folder["grey.png"]).PixelAt(5, 7).ToArray();
        Assert.That(pixel, Is.All.EqualTo(pixel[0]));
    }

    [Test]
    public void Ratios_that_the_operator_does_not_take_are_taken_in_steps()
    {
        ImageFile.Write(folder["dot.png"], new Raster(1, 2, 1, [0, 255]), SampleType.UInt8);
        AssertSucceeds(Upsample("dot.png", "large.png"));
        var large = ImageFile.ReadSamples(folder["large.png"]).Raster;
        Assert.That((large.Height, large.Width), Is.EqualTo((61, 83)));
        Assert.That(large.PixelAt(0, 0)[0], Is.LessThan(90));
        Assert.That(large.PixelAt(60, 82)[0], Is.GreaterThan(165));
    }

    [Test]
    public void The_kind_can_be_told()
    {
        AssertSucceeds(Upsample("mask.png", "mask_large.png"));
        AssertSucceeds(Upsample("mask.png", "told.png", "--kind", "mask"));
        AssertSucceeds(Upsample("mask.png", "image.png", "--kind", "image"));
        AssertSucceeds(Upsample("labels.png", "first.png", "--labels"));
        AssertSucceeds(Upsample("labels.png", "second.png", "--kind", "labels"));
        Assert.That(File.ReadAllBytes(folder["told.png"]), Is.EqualTo(File.ReadAllBytes(folder["mask_large.png"])));
        Assert.That(File.ReadAllBytes(folder["image.png"]), Is.Not.EqualTo(File.ReadAllBytes(folder["told.png"])));
        Assert.That(File.ReadAllBytes(folder["second.png"]), Is.EqualTo(File.ReadAllBytes(folder["first.png"])));
        var run = Upsample("mask.png", "o.png", "--labels", "--kind", "depth");
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Errors, Does.Contain("--kind depth"));
    }

    [Test]
    public void Masks_saved_as_colours_are_masks()
    {
        var mask = ImageFile.ReadSamples(folder["mask.png"]).Raster;
        var colours = new Raster(mask.Height, mask.Width, 4);
        for (int i = 0; i < mask.Values.Length; i++)
        {
            colours.Values.AsSpan(4 * i, 3).Fill(mask.Values[i]);
            colours.Values[4 * i + 3] = 255;
        }
        ImageFile.Write(folder["colours.png"], colours, SampleType.UInt8);
        AssertSucceeds(Upsample("mask.png", "large.png"));
        AssertSucceeds(Upsample("colours.png", "colours_large.png"));
        var expected = ImageFile.ReadSamples(folder["large.png"]).Raster.Values;
        var actual = ImageFile.ReadSamples(folder["colours_large.png"]).Raster.Values;
        Assert.That(actual.Where((_, i) => i % 4 == 1), Is.EqualTo(expected));
        Assert.That(actual.Where((_, i) => i % 4 == 3), Is.All.EqualTo(255));
    }

    [Test]
    public void Unusable_files_give_one_line()
    {
        File.WriteAllText(folder["text.png"], "this is no image");
        File.WriteAllBytes(folder["cut.png"], File.ReadAllBytes(folder["photo.png"])[..2000]);
        File.WriteAllText(folder["bad.npy"], "this is no array");
        WriteArray("flat.npy", "<f4", [12], new double[12]);
        ImageFile.Write(folder["tiny.png"], new Photo(3, 4));

        AssertFails(Upsample("missing.png", "o.png"), "missing.png", "no such file");
        AssertFails(Upsample("text.png", "o.png"), "text.png", "not a readable image");
        AssertFails(Upsample("cut.png", "o.png"), "cut.png", "not a readable image");
        AssertFails(Upsample("bad.npy", "o.npy"), "bad.npy", "no .npy file");
        AssertFails(Upsample("flat.npy", "o.npy"), "flat.npy", "[C, H, W]");
        AssertFails(Upsample("mask.png", "o.xyz"), "o.xyz", ".png");
        AssertFails(Upsample("mask.png", "o.npy"), "o.npy", ".png");
        AssertFails(Upsample("mask.png", "none/o.png"), "none", "folder");
        AssertFails(Upsample("labels.png", "o.jpg", "--labels"), "o.jpg", "JPEG");
        AssertFails(Upsample("mask.png", "o.png", "--truth", folder["tiny.png"]), "tiny.png", "83x61");
        AssertFails(Upsample("mask.png", "o.png", "--compare", folder["f.xyz"]), "f.xyz", ".png");
        AssertFails(Upsample("mask.png", "o.png", "--compare", folder["o.png"]), "o.png", "--compare");
        AssertFails(
            Upsample("labels.png", "o.png", "--labels", "--truth", folder["photo.png"]), "photo.png", "3 channels");

        File.Copy(folder["tiny.png"], folder["photo.png"], overwrite: true);
        AssertFails(Upsample("mask.png", "o.png"), "photo.png", "smaller than the map");
    }

    [Test]
    public void Cut_arrays_give_one_line_wherever_the_cut_is()
    {
        WriteArray("map.npy", "<f4", [MapHeight, MapWidth], new double[MapHeight * MapWidth]);
        var bytes = File.ReadAllBytes(folder["map.npy"]);
        for (int length = 0; length < bytes.Length; length += length < 12 ? 1 : 41)
        {
            File.WriteAllBytes(folder["cut.npy"], bytes[..length]);
            AssertFails(Upsample("cut.npy", "o.npy"), "cut.npy", "cut.npy");
        }
    }

    [TestCase("--window", "4")]
    [TestCase("--window", "17")]
    [TestCase("--sigma-color", "0")]
    [TestCase("--sigma-space", "-1")]
    [TestCase("--method", "cubic")]
    [TestCase("--device", "abacus")]
    public void Senseless_arguments_are_usage_errors(string option, string value)
    {
        var run = Upsample("mask.png", "o.png", option, value);
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Usage));
        Assert.That(run.Errors, Does.Contain(value));
        Assert.That(Files, Has.None.StartWith("o.").And.None.StartWith(".o"));
    }

    private double Difference(Photo photo) =>
        photo.Samples.Zip(scene.Photo.Samples).Average(pair => Math.Abs(pair.First - pair.Second));

    private ToolRun Upsample(string input, string output, params string[] more) => ToolRun.Of(
    [
        "upsample", "--guide", folder["photo.png"], "--input", folder[input], "--output", folder[output],
        .. more.Contains("--device") ? more : [.. more, "--device", "cpu"],
    ]);

    private static void AssertSucceeds(ToolRun run) =>
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((ExitCode.Success, string.Empty)));

    private void AssertFails(ToolRun run, string file, string remedy)
    {
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Failure));
        Assert.That(run.Errors.Trim().Split('\n'), Has.Length.EqualTo(1));
        Assert.That(run.Errors, Does.Contain(file).And.Contain(remedy));
        Assert.That(run.Output, Is.Empty);
        Assert.That(Files, Has.None.StartWith("o.").And.None.StartWith(".o"));
    }

    private void WriteArray(string name, string descriptor, int[] shape, double[] values)
    {
        using var stream = File.Create(folder[name]);
        NpyFile.WriteHeader(stream, descriptor, shape);
        var element = new byte[NpyFile.ElementSize(descriptor)];
        foreach (double value in values)
        {
            NpyFile.Encode(value, descriptor, element);
            stream.Write(element);
        }
    }
}
