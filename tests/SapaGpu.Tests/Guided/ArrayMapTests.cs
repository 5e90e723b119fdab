using System.IO.Compression;
using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Guided;

/// <summary>Maps that are NumPy arrays, from files to files.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class ArrayMapTests : UpsampleFixture
{
    private const int Height = UpsampleRuns.MapHeight;
    private const int Width = UpsampleRuns.MapWidth;

    [Test]
    public void Leading_dimensions_of_one_come_back()
    {
        Runs.WriteArray("map.npy", "<f4", [1, 1, 2, Height, Width], UpsampleRuns.Ramp(2 * Height * Width));
        Runs.WriteArray("last.npy", "<f4", [1, Height, Width, 5], UpsampleRuns.Ramp(5 * Height * Width));
        Runs.Enlarge("map.npy", "large.npy");
        Runs.Enlarge("last.npy", "large_last.npy");
        var large = NpyFile.Read(Runs["large.npy"]);
        Assert.That(large.Shape, Is.EqualTo(new[] { 1, 1, 2, UpsampleRuns.Height, UpsampleRuns.Width }));
        Assert.That(large.Values[..(large.Values.Length / 2)], Is.EqualTo(UpsampleRuns.Enlarge(UpsampleRuns.Ramp())));
        Assert.That(
            NpyFile.Read(Runs["large_last.npy"]).Shape,
            Is.EqualTo(new[] { 1, UpsampleRuns.Height, UpsampleRuns.Width, 5 }));
    }

    [Test]
    public void A_batch_of_several_is_refused()
    {
        Runs.WriteArray("map.npy", "<f4", [2, 1, Height, Width], UpsampleRuns.Ramp(2 * Height * Width));
        Runs.AssertRefuses(Runs.Upsample("map.npy", "o.npy"), ExitCode.Failure, "map.npy", "[2, 1, 6, 8]", "one map");
    }

    [TestCase("map.npz")]
    [TestCase("map.bin")]
    public void An_archive_of_one_array_is_a_map(string name)
    {
        Runs.WriteArray("map.npy", "<i2", [Height, Width], UpsampleRuns.Ramp());
        using (var archive = ZipFile.Open(Runs[name], ZipArchiveMode.Create))
            archive.CreateEntryFromFile(Runs["map.npy"], "depth.npy");
        Runs.Enlarge(name, "large.npy");
        var large = NpyFile.Read(Runs["large.npy"]);
        Assert.That((large.Descriptor, large.Values), Is.EqualTo(("<i2", UpsampleRuns.Enlarge(UpsampleRuns.Ramp()))));
    }

    [TestCase("<f8", 5_400_000.015625)]
    [TestCase("<f8", 1e300)]
    [TestCase("<i4", 16_777_217)]
    [TestCase("<u4", 4_294_967_001)]
    [TestCase("<i8", 9_007_199_254_740_991)]
    public void Nearest_keeps_values_that_single_precision_does_not_hold(string descriptor, double first)
    {
        var values = UpsampleRuns.Ramp(2 * Height * Width);
        values[Height * Width + 3] = first;
        Runs.WriteArray("map.npy", descriptor, [2, Height, Width], values);
        Runs.Enlarge("map.npy", "large.npy");
        var large = NpyFile.Read(Runs["large.npy"]);
        Assert.That(large.Shape, Is.EqualTo(new[] { 2, UpsampleRuns.Height, UpsampleRuns.Width }));
        Assert.That(large.Descriptor, Is.EqualTo(descriptor));
        double[] expected = [
            .. UpsampleRuns.Enlarge(values[..(Height * Width)]), .. UpsampleRuns.Enlarge(values[(Height * Width)..])];
        Assert.That(large.Values, Is.EqualTo(expected));

        Runs.Enlarge("map.npy", "compared.npy", "--compare", Runs["figure.png"]);
        Assert.That(File.ReadAllBytes(Runs["compared.npy"]), Is.EqualTo(File.ReadAllBytes(Runs["large.npy"])));
    }

    [Test]
    public void Averages_of_such_values_come_with_a_warning()
    {
        Runs.WriteArray(
            "map.npy", "<f8", [Height, Width], UpsampleRuns.Ramp().Select(value => 5_400_000 + value / 10));
        var run = Runs.Upsample("map.npy", "large.npy", "--method", "bilinear");
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Success));
        Assert.That(run.Errors, Does.Contain("map.npy").And.Contain("precision").And.Contain("nearest"));

        Runs.WriteArray("map.npy", "<f8", [Height, Width], UpsampleRuns.Ramp().Select(value => value / 7));
        UpsampleRuns.AssertSucceeds(Runs.Upsample("map.npy", "small.npy", "--method", "bilinear"));

        Runs.WriteArray("map.npy", "<f8", [Height, Width], UpsampleRuns.Ramp().Select(value => value * 1e300));
        Runs.AssertRefuses(
            Runs.Upsample("map.npy", "o.npy", "--method", "bilinear"), ExitCode.Failure, "map.npy", "3.4e38");
    }

    [TestCase("<f8", -9999.9)]
    [TestCase("<f8", -1.7976931348623157e308)]
    [TestCase("<i4", 2147483647)]
    [TestCase("<u4", 16777217)]
    public void Marks_come_back_as_they_were_given(string descriptor, double mark)
    {
        var values = UpsampleRuns.Ramp();
        values[9] = mark;
        Runs.WriteArray("map.npy", descriptor, [Height, Width], values);
        string text = mark.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        UpsampleRuns.AssertSucceeds(Runs.Upsample("map.npy", "large.npy", "--unknown", text, "--method", "bilinear"));
        var large = NpyFile.Read(Runs["large.npy"]).Values;
        Assert.That(large, Has.Some.EqualTo(mark));
        Assert.That(large.Where(value => value != mark), Is.All.InRange(0, 48));
    }
}
