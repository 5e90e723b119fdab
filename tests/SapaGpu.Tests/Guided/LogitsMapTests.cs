using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Images;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Guided;

/// <summary>Scores of classes through the tool.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class LogitsMapTests : UpsampleFixture
{
    private const int Height = UpsampleRuns.MapHeight;
    private const int Width = UpsampleRuns.MapWidth;
    private const int Cells = Height * Width;

    [TestCase(false)]
    [TestCase(true)]
    public void Argmax_gives_the_likeliest_class(bool isBatch)
    {
        var planes = Scores(5);
        int[] batch = isBatch ? [1] : [];
        Runs.WriteArray("chw.npy", "<f4", [.. batch, 5, Height, Width], planes);
        Runs.WriteArray("hwc.npy", "<f4", [.. batch, Height, Width, 5], Interleave(planes, 5));
        var expected = UpsampleRuns.Enlarge(UpsampleRuns.Ramp().Select(cell => cell % 5).ToList());
        foreach (string layout in (string[])["chw", "hwc"])
        {
            Runs.Enlarge($"{layout}.npy", "large.png", "--kind", "logits", "--argmax");
            Runs.Enlarge($"{layout}.npy", "large.npy", "--argmax");
            var (image, type) = ImageFile.ReadSamples(Runs["large.png"]);
            var array = NpyFile.Read(Runs["large.npy"]);
            Assert.That((type, image.Channels), Is.EqualTo((SampleType.UInt8, 1)));
            Assert.That(image.Values, Is.EqualTo(expected));
            Assert.That(array.Values, Is.EqualTo(expected));
            Assert.That(array.Shape, Is.EqualTo((int[])[.. batch, UpsampleRuns.Height, UpsampleRuns.Width]));
            Assert.That(array.Descriptor, Is.EqualTo("|u1"));
        }
    }

    [Test]
    public void More_classes_than_a_byte_counts_take_two()
    {
        Runs.WriteArray("map.npy", "<f2", [300, Height, Width], Scores(300).Select((score, i) => i / Cells == 299 ? 60 : score));
        Runs.Enlarge("map.npy", "large.png", "--argmax");
        var (image, type) = ImageFile.ReadSamples(Runs["large.png"]);
        Assert.That(type, Is.EqualTo(SampleType.UInt16));
        Assert.That(image.Values, Is.All.EqualTo(299));
    }

    [Test]
    public void Guided_classes_are_those_of_the_library()
    {
        var planes = Scores(3);
        Runs.WriteArray("map.npy", "<f4", [3, Height, Width], planes);
        UpsampleRuns.AssertSucceeds(Runs.Upsample("map.npy", "large.png", "--argmax"));
        byte[] expected = new byte[UpsampleRuns.Height * UpsampleRuns.Width];
        GuidedUpsampler.UpsampleToClasses(
            new PhotoSpan(Runs.Photo.Samples, UpsampleRuns.Height, UpsampleRuns.Width),
            new MapSpan<double>(Interleave(planes, 3), Height, Width, 3),
            expected.AsSpan());
        Assert.That(ImageFile.ReadSamples(Runs["large.png"]).Raster.Values, Is.EqualTo(expected));
    }

    [Test]
    public void Without_argmax_probabilities_are_written()
    {
        Runs.WriteArray("map.npy", "<f4", [2, Height, Width], Enumerable.Range(0, 2 * Cells).Select(i => i < Cells ? 2.0 : 1.0));
        UpsampleRuns.AssertSucceeds(Runs.Upsample("map.npy", "large.npy", "--kind", "logits"));
        var large = NpyFile.Read(Runs["large.npy"]);
        double first = 1 / (1 + Math.Exp(-1));
        int pixels = UpsampleRuns.Height * UpsampleRuns.Width;
        Assert.That(large.Shape, Is.EqualTo(new[] { 2, UpsampleRuns.Height, UpsampleRuns.Width }));
        Assert.That(large.Values[..pixels], Is.All.EqualTo(first).Within(1e-5));
        Assert.That(large.Values[pixels..], Is.All.EqualTo(1 - first).Within(1e-5));
        var again = Runs.Upsample("large.npy", "again.npy", "--kind", "logits", "--method", "nearest");
        UpsampleRuns.AssertSucceeds(again);
        Assert.That(again.Output, Does.Contain("again.npy: probabilities of classes, "));
        Assert.That(NpyFile.Read(Runs["again.npy"]).Values, Is.EqualTo(large.Values).Within(1e-5));
    }

    [Test]
    public void One_channel_is_the_score_of_an_object()
    {
        Runs.WriteArray("map.npy", "<f4", [1, 1, Height, Width], UpsampleRuns.Ramp().Select(cell => cell < 20 ? -3.0 : 3.0));
        var expected = UpsampleRuns.Enlarge(UpsampleRuns.Ramp().Select(cell => cell < 20 ? 0.0 : 1.0).ToList());
        Runs.Enlarge("map.npy", "large.png", "--argmax");
        Assert.That(ImageFile.ReadSamples(Runs["large.png"]).Raster.Values, Is.EqualTo(expected));
        Runs.Enlarge("map.npy", "large.npy", "--kind", "logits");
        double sure = 1 / (1 + Math.Exp(-3));
        var values = NpyFile.Read(Runs["large.npy"]).Values;
        Assert.That(values, Is.EqualTo(expected.Select(value => value == 0 ? 1 - sure : sure)).Within(1e-6));
        File.Move(Runs["large.npy"], Runs["chances.npy"]);
        Runs.Enlarge("chances.npy", "again.png", "--argmax");
        Assert.That(ImageFile.ReadSamples(Runs["again.png"]).Raster.Values, Is.EqualTo(expected));
    }

    [Test]
    public void Sigmoids_are_no_scores_unless_nothing_is_said()
    {
        Runs.WriteArray("map.npy", "<f4", [2, Height, Width], Enumerable.Range(0, 2 * Cells).Select(i => i < Cells ? 0.9 : 0.8));
        var run = Runs.Upsample("map.npy", "large.npy", "--kind", "logits", "--method", "nearest");
        Assert.That(run.Errors, Does.Contain("map.npy").And.Contain("--probabilities"));
        Runs.Enlarge("map.npy", "large.npy", "--probabilities");
        Assert.That(NpyFile.Read(Runs["large.npy"]).Values[0], Is.EqualTo(0.9).Within(1e-6));
    }

    [Test]
    public void Classes_are_compared_with_the_truth()
    {
        Runs.WriteArray("map.npy", "<f4", [3, Height, Width], Scores(3));
        var truth = UpsampleRuns.Enlarge(UpsampleRuns.Ramp().Select(cell => (float)(cell % 3)).ToList());
        ImageFile.Write(Runs["truth.png"], new Raster(UpsampleRuns.Height, UpsampleRuns.Width, 1, truth), SampleType.UInt8);
        var run = Runs.Upsample(
            "map.npy", "large.png", "--argmax", "--truth", Runs["truth.png"], "--compare", Runs["figure.png"]);
        UpsampleRuns.AssertSucceeds(run);
        Assert.That(run.Output, Does.Match("Nearest +. +1.0000").And.Contain("mIoU"));
        UpsampleRuns.AssertSucceeds(Runs.Upsample("map.npy", "p.npy", "--kind", "logits", "--compare", Runs["figure.png"]));
        Runs.AssertRefuses(
            Runs.Upsample("map.npy", "o.npy", "--kind", "logits", "--truth", Runs["truth.png"]), ExitCode.Usage, "--argmax");
    }

    [Test]
    public void A_class_can_be_kept_from_spreading()
    {
        Runs.WriteArray("map.npy", "<f4", [3, Height, Width], Scores(3));
        UpsampleRuns.AssertSucceeds(Runs.Upsample("map.npy", "large.png", "--argmax", "--unknown", "2"));
        Runs.AssertRefuses(
            Runs.Upsample("map.npy", "o.png", "--argmax", "--unknown", "255"), ExitCode.Usage, "--unknown 255", "0 to 2");
    }

    [Test]
    public void What_is_no_score_is_refused()
    {
        var scores = Scores(2);
        foreach (var (value, text) in ((double, string)[])[(double.NaN, "NaN"), (double.PositiveInfinity, "Infinity")])
        {
            scores[13] = value;
            Runs.WriteArray("map.npy", "<f4", [2, Height, Width], scores);
            Runs.AssertRefuses(
                Runs.Upsample("map.npy", "o.png", "--argmax"), ExitCode.Failure, "map.npy", text, "row 1, column 5");
        }
        scores[13] = scores[13 + Cells] = double.NegativeInfinity;
        Runs.WriteArray("map.npy", "<f4", [2, Height, Width], scores);
        Runs.AssertRefuses(Runs.Upsample("map.npy", "o.png", "--argmax"), ExitCode.Failure, "-Infinity");
        Runs.WriteArray("map.npy", "<f4", [2, Height, Width], Scores(2));
        Runs.AssertRefuses(Runs.Upsample("map.npy", "o.npy", "--probabilities"), ExitCode.Failure, "from 0 to 1");
    }

    [Test]
    public void Contradictions_are_usage_errors()
    {
        Runs.WriteArray("map.npy", "<f4", [2, Height, Width], Scores(2));
        ImageFile.Write(Runs["map.png"], new Raster(Height, Width, 3), SampleType.UInt8);
        Refuses(["map.png", "o.png", "--argmax"], "map.png", "--kind labels");
        Refuses(["map.npy", "o.png", "--kind", "logits"], "o.png", "--argmax");
        Refuses(["map.npy", "o.png", "--labels", "--argmax"], "--argmax", "--kind logits");
        Refuses(["map.npy", "o.png", "--argmax", "--fill"], "--fill", "--kind depth");
        Refuses(["map.npy", "o.png", "--argmax", "--threshold", "0.5"], "--threshold", "--kind mask");
        Refuses(["map.npy", "o.png", "--argmax", "--unknown", "0", "--unknown", "1"], "--unknown", "once");

        void Refuses(string[] arguments, params string[] texts) => Runs.AssertRefuses(
            Runs.Upsample(arguments[0], arguments[1], arguments[2..]), ExitCode.Usage, texts);
    }

    /// <summary>Scores by planes that make the remainder of a cell's number the likeliest class.</summary>
    private static double[] Scores(int classes) =>
    [
        .. Enumerable.Range(0, classes * Cells).Select(i =>
            i % Cells % classes == i / Cells ? 4 + i % 7 * 0.1 : i % 11 * 0.25 - 1),
    ];

    private static double[] Interleave(double[] planes, int channels) =>
        [.. Enumerable.Range(0, planes.Length).Select(i => planes[i % channels * Cells + i / channels])];
}
