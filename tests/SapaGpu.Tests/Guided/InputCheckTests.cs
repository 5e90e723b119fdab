using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Guided;
using SapaGpu.Cli.Images;

namespace SapaGpu.Tests.Guided;

[TestFixture]
[NonParallelizable]
internal sealed class InputCheckTests : UpsampleFixture
{
    [SetUp]
    public void WriteInputs()
    {
        ImageFile.Write(Runs["map.png"], new Raster(6, 8, 1), SampleType.UInt8);
        ImageFile.Write(Runs["truth.png"], new Raster(24, 32, 1), SampleType.UInt8);
    }

    [TestCase("--output", "photo.png", "--guide")]
    [TestCase("--output", "truth.png", "--truth")]
    [TestCase("--compare", "photo.png", "--guide")]
    [TestCase("--compare", "truth.png", "--truth")]
    [TestCase("--compare", "map.png", "--input")]
    public void Results_do_not_take_the_place_of_inputs(string option, string name, string other)
    {
        var bytes = File.ReadAllBytes(Runs[name]);
        string output = option == "--output" ? name : "large.png", figure = option == "--compare" ? name : "figure.png";
        var run = Runs.Upsample(
            "map.png", output, "--truth", Runs["truth.png"], "--compare", Runs[figure], "--method", "nearest");
        Runs.AssertRefuses(run, ExitCode.Failure, name, option, other);
        Assert.That(File.ReadAllBytes(Runs[name]), Is.EqualTo(bytes));
    }

    [Test]
    public void Other_names_of_a_file_are_recognised()
    {
        Directory.CreateDirectory(Runs["folder"]);
        Directory.CreateSymbolicLink(Runs["other"], Runs["folder"]);
        File.Move(Runs["photo.png"], Runs["folder/photo.png"]);
        File.CreateSymbolicLink(Runs["link.png"], Runs["folder/photo.png"]);
        foreach (string output in (string[])["other/photo.png", "folder/../folder/photo.png", "folder/photo.png"])
            Runs.AssertRefuses(Upsample(output), ExitCode.Failure, "--guide");

        ToolRun Upsample(string output) => Runs.Upsample("map.png", output, "--guide", Runs["link.png"]);
    }

    [Test]
    public void The_map_may_be_replaced_by_its_result()
    {
        Runs.Enlarge("map.png", "map.png");
        Assert.That(ImageFile.ReadSamples(Runs["map.png"]).Raster.SizeText, Is.EqualTo("32x24"));
    }

    [Test]
    public void Other_proportions_are_told_but_not_refused()
    {
        ImageFile.Write(Runs["turned.png"], new Raster(8, 6, 1), SampleType.UInt8);
        var run = Runs.Upsample("turned.png", "large.png", "--method", "nearest");
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Success));
        Assert.That(run.Errors.TrimEnd().Split('\n'), Has.Length.EqualTo(1));
        Assert.That(run.Errors, Does.Contain("turned.png").And.Contain("proportions").And.Contain("77.8 %"));
    }

    [TestCase(9, 11, 61, 83, true)]
    [TestCase(27, 40, 427, 640, true)]
    [TestCase(26, 40, 427, 640, true)]
    [TestCase(1, 1, 3, 5, true)]
    [TestCase(1, 2, 30, 50, true)]
    [TestCase(256, 256, 480, 640, false)]
    [TestCase(64, 48, 480, 640, false)]
    [TestCase(28, 40, 427, 640, true)]
    [TestCase(29, 40, 427, 640, false)]
    [TestCase(1, 60, 480, 640, false)]
    public void Rounding_explains_a_row_or_a_column(
        int mapHeight, int mapWidth, int photoHeight, int photoWidth, bool isExplained)
    {
        Assert.That(
            Proportions.Describe(mapHeight, mapWidth, photoHeight, photoWidth), isExplained ? Is.Null : Is.Not.Null);
        Assert.That(
            Proportions.Describe(mapWidth, mapHeight, photoWidth, photoHeight), isExplained ? Is.Null : Is.Not.Null);
    }
}
