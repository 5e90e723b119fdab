using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Images;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Guided;

[TestFixture]
[NonParallelizable]
internal sealed class MaskThresholdTests : UpsampleFixture
{
    private const int Height = UpsampleRuns.MapHeight;
    private const int Width = UpsampleRuns.MapWidth;

    [TestCase("0.5", 128)]
    [TestCase("0.25", 64)]
    [TestCase("0.9", 230)]
    public void Soft_masks_are_decided_at_a_share_of_their_type(string threshold, int first)
    {
        // No value comes near white: the range is that of the type, not that of the values.
        var map = new Raster(Height, Width, 1, [.. UpsampleRuns.Ramp().Select(cell => (float)cell * 4)]);
        ImageFile.Write(Runs["map.png"], map, SampleType.UInt8);
        Runs.Enlarge("map.png", "large.png", "--threshold", threshold);
        var expected = UpsampleRuns.Enlarge(map.Values).Select(value => value >= first ? 255f : 0);
        Assert.That(ImageFile.ReadSamples(Runs["large.png"]).Raster.Values, Is.EqualTo(expected));
    }

    [TestCase(0, 1)]
    [TestCase(0, 255)]
    [TestCase(7, 9)]
    public void Two_values_are_the_range(int low, int high)
    {
        var map = new Raster(Height, Width, 1, [.. UpsampleRuns.Ramp().Select(cell => cell % 3 < 1 ? (float)high : low)]);
        ImageFile.Write(Runs["map.png"], map, SampleType.UInt8);
        foreach (string method in (string[])["nearest", "bilinear", "sapa"])
        {
            UpsampleRuns.AssertSucceeds(
                Runs.Upsample("map.png", "large.png", "--threshold", "0.5", "--method", method));
            var values = ImageFile.ReadSamples(Runs["large.png"]).Raster.Values;
            Assert.That(values.Distinct(), Is.EquivalentTo(new[] { (float)low, high }));
        }
    }

    [Test]
    public void Nothing_found_stays_nothing_found()
    {
        ImageFile.Write(Runs["map.png"], new Raster(Height, Width, 1), SampleType.UInt8);
        UpsampleRuns.AssertSucceeds(Runs.Upsample("map.png", "large.png", "--threshold", "0.5"));
        Assert.That(ImageFile.ReadSamples(Runs["large.png"]).Raster.Values, Is.All.EqualTo(0));
    }

    [Test]
    public void Arrays_from_0_to_1_are_decided_and_others_are_not()
    {
        Runs.WriteArray("map.npy", "<f4", [Height, Width], UpsampleRuns.Ramp().Select(cell => cell / 50));
        Runs.Enlarge("map.npy", "large.npy", "--threshold", "0.5");
        var expected = UpsampleRuns.Enlarge(UpsampleRuns.Ramp().Select(cell => cell < 25 ? 0.0 : 1.0).ToList());
        Assert.That(NpyFile.Read(Runs["large.npy"]).Values, Is.EqualTo(expected));
        Runs.WriteArray("map.npy", "<f4", [Height, Width], UpsampleRuns.Ramp().Select(cell => cell - 20));
        Runs.AssertRefuses(
            Runs.Upsample("map.npy", "o.npy", "--threshold", "0.5"), ExitCode.Usage, "map.npy", "-20 to 27", "--kind logits");
    }

    [Test]
    public void Opacity_and_marks_are_not_decided()
    {
        var map = new Raster(Height, Width, 2);
        for (int i = 0; i < Height * Width; i++)
            (map.Values[2 * i], map.Values[2 * i + 1]) = (4 * i, 77);
        ImageFile.Write(Runs["map.png"], map, SampleType.UInt8);
        Runs.Enlarge("map.png", "large.png", "--threshold", "0.5");
        var values = ImageFile.ReadSamples(Runs["large.png"]).Raster.Values;
        Assert.That(values.Where((_, i) => i % 2 == 1), Is.All.EqualTo(77));
        Assert.That(values.Where((_, i) => i % 2 == 0).Distinct(), Is.EquivalentTo(new[] { 0f, 255 }));

        Runs.WriteArray("map.npy", "<f4", [Height, Width], UpsampleRuns.Ramp().Select(cell => cell == 9 ? -1 : cell / 50));
        Runs.Enlarge("map.npy", "large.npy", "--threshold", "0.5", "--unknown", "-1");
        var expected = UpsampleRuns.Enlarge(
            UpsampleRuns.Ramp().Select(cell => cell == 9 ? -1 : cell < 25 ? 0.0 : 1.0).ToList());
        Assert.That(NpyFile.Read(Runs["large.npy"]).Values, Is.EqualTo(expected));
    }

    [TestCase("0")]
    [TestCase("1")]
    [TestCase("128")]
    [TestCase("0,5")]
    public void Other_shares_are_refused(string threshold)
    {
        ImageFile.Write(Runs["map.png"], new Raster(Height, Width, 1), SampleType.UInt8);
        Runs.AssertRefuses(
            Runs.Upsample("map.png", "o.png", "--threshold", threshold), ExitCode.Usage, $"--threshold {threshold}");
    }

    [Test]
    public void Lossy_formats_do_not_hold_decisions()
    {
        ImageFile.Write(Runs["map.png"], new Raster(Height, Width, 1), SampleType.UInt8);
        Runs.AssertRefuses(Runs.Upsample("map.png", "o.jpg", "--threshold", "0.5"), ExitCode.Failure, "o.jpg", "lossy");
    }
}
