using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Images;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Guided;

[TestFixture]
[NonParallelizable]
internal sealed class HoleFillingTests : UpsampleFixture
{
    private const int Height = UpsampleRuns.MapHeight;
    private const int Width = UpsampleRuns.MapWidth;

    [Test]
    public void Holes_take_the_depth_of_what_has_their_colour()
    {
        // Red on the left is near, blue on the right is far; the hole lies across the edge between them.
        var photo = new Photo(UpsampleRuns.Height, UpsampleRuns.Width);
        for (int i = 0; i < UpsampleRuns.Height * UpsampleRuns.Width; i++)
            photo.Samples[3 * i + (i % UpsampleRuns.Width < 16 ? 0 : 2)] = 255;
        ImageFile.Write(Runs["halves.png"], photo);
        var map = new Raster(Height, Width, 1, [.. UpsampleRuns.Ramp().Select(cell => cell % 8 < 4 ? 1000f : 9000)]);
        for (int row = 1; row < 5; row++)
            map.Values.AsSpan(row * Width + 2, 4).Clear();
        ImageFile.Write(Runs["map.png"], map, SampleType.UInt16);
        UpsampleRuns.AssertSucceeds(
            Runs.Upsample("map.png", "large.png", "--unknown", "0", "--fill", "--guide", Runs["halves.png"]));
        var (large, type) = ImageFile.ReadSamples(Runs["large.png"]);
        Assert.That(type, Is.EqualTo(SampleType.UInt16));
        for (int i = 0; i < large.Values.Length; i++)
            Assert.That(large.Values[i], Is.EqualTo(i % UpsampleRuns.Width < 16 ? 1000 : 9000).Within(1));
    }

    [Test]
    public void Holes_wider_than_the_window_close_too()
    {
        Runs.WriteArray("map.npy", "<f4", [Height, Width], UpsampleRuns.Ramp().Select(cell => cell == 47 ? 12.5 : double.NaN));
        UpsampleRuns.AssertSucceeds(Runs.Upsample("map.npy", "large.npy", "--fill"));
        Assert.That(NpyFile.Read(Runs["large.npy"]).Values, Is.All.EqualTo(12.5).Within(1e-5));
    }

    [Test]
    public void Holes_stay_where_nobody_asks()
    {
        Runs.WriteArray("map.npy", "<f4", [Height, Width], UpsampleRuns.Ramp().Select(cell => cell < 24 ? 0.0 : 5));
        UpsampleRuns.AssertSucceeds(Runs.Upsample("map.npy", "large.npy", "--unknown", "0"));
        Assert.That(NpyFile.Read(Runs["large.npy"]).Values, Has.Some.EqualTo(0.0));
        UpsampleRuns.AssertSucceeds(Runs.Upsample("map.npy", "large.npy", "--unknown", "0", "--fill"));
        Assert.That(NpyFile.Read(Runs["large.npy"]).Values, Is.All.EqualTo(5).Within(1e-5));
        Runs.Enlarge("map.npy", "large.npy", "--unknown", "0", "--fill");
        Assert.That(NpyFile.Read(Runs["large.npy"]).Values, Is.All.EqualTo(5).Within(1e-5));
    }

    [Test]
    public void What_cannot_be_filled_is_refused()
    {
        ImageFile.Write(Runs["map.png"], new Raster(Height, Width, 1), SampleType.UInt8);
        Runs.AssertRefuses(Runs.Upsample("map.png", "o.png", "--fill"), ExitCode.Usage, "map.png", "--unknown 0");
        Runs.AssertRefuses(
            Runs.Upsample("map.png", "o.png", "--fill", "--unknown", "0"), ExitCode.Failure, "map.png", "all values are missing");
        Runs.AssertRefuses(Runs.Upsample("map.png", "o.png", "--fill", "--labels"), ExitCode.Usage, "--fill", "labels");
    }
}
