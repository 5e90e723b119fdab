using System.Text.Json;
using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Images;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Guided;

/// <summary>Many maps in one run.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class UpsampleBatchTests : UpsampleFixture
{
    private const int Height = UpsampleRuns.MapHeight;
    private const int Width = UpsampleRuns.MapWidth;

    [SetUp]
    public void WriteInputs()
    {
        foreach (string folder in (string[])["photos", "maps", "other"])
            Directory.CreateDirectory(Runs[folder]);
        foreach (string name in (string[])["a", "b", "c"])
        {
            ImageFile.Write(Runs[$"photos/{name}.png"], Runs.Photo);
            WriteMap($"maps/{name}.png", name[0]);
        }
        File.WriteAllText(Runs["maps/readme.txt"], "no map");
        File.WriteAllText(Runs["maps/.hidden.png"], "no map");
    }

    [TestCase("photos", "maps", "results")]
    [TestCase("photos/*.png", "maps/?.png", "results/")]
    [TestCase("photos", "m*/*.png", "other/*.png")]
    [TestCase("**/photos/*", "maps", "other/*_large.tif")]
    public void Folders_and_patterns_are_matched_by_name(string guides, string maps, string results)
    {
        var run = Upsample([Runs[maps]], [Runs[guides]], Runs[results]);
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((ExitCode.Success, string.Empty)));
        Assert.That(run.Output, Does.StartWith("3 maps (image) upsampled, "));
        foreach (string name in (string[])["a", "b", "c"])
        {
            string result = results.Contains('*') ? results.Replace("*", name) : Path.Combine(results, name + ".png");
            Assert.That(ImageFile.ReadSamples(Runs[result]).Raster.Values, Is.All.EqualTo((float)name[0]), result);
        }
    }

    [TestCase("maps/*_mask.png", "photos/*.png", "results/*.png")]
    [TestCase("maps/*_mask.png", "photos", "results/*.png")]
    public void What_an_asterisk_stands_for_is_a_name_too(string maps, string guides, string results)
    {
        foreach (string name in (string[])["a", "b", "c"])
            File.Move(Runs[$"maps/{name}.png"], Runs[$"maps/{name}_mask.png"]);
        Directory.CreateDirectory(Runs["results"]);
        var run = Upsample([Runs[maps]], [Runs[guides]], Runs[results]);
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((ExitCode.Success, string.Empty)));
        Assert.That(Names("results"), Is.EquivalentTo(new[] { "a.png", "b.png", "c.png" }));
        Directory.CreateDirectory(Runs["more"]);
        File.Copy(Runs["maps/a_mask.png"], Runs["more/a_object.png"]);
        run = Upsample([Runs[maps], Runs["more/*_object.png"]], [Runs[guides]], Runs[results]);
        Runs.AssertRefuses(run, ExitCode.Failure, "a_mask.png", "a_object.png", "a.png");
    }

    [Test]
    public void Standard_input_is_for_one_map() =>
        Runs.AssertRefuses(Upsample([Runs["maps"]], ["-"], Runs["results"]), ExitCode.Usage, "--guide -");

    [Test]
    public void Lists_of_files_are_matched_by_name()
    {
        var run = Upsample([Runs["maps/b.png"], Runs["maps/a.png"]], [Runs["photos/a.png"], Runs["photos/b.png"]], Runs["results"]);
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((ExitCode.Success, string.Empty)));
        Assert.That(Names("results"), Is.EquivalentTo(new[] { "a.png", "b.png" }));
    }

    [Test]
    public void One_photo_may_serve_many_maps_and_many_photos_one_map()
    {
        Assert.That(Upsample([Runs["maps"]], [Runs["photo.png"]], Runs["results"]).ExitCode, Is.EqualTo(ExitCode.Success));
        Assert.That(Names("results"), Is.EquivalentTo(new[] { "a.png", "b.png", "c.png" }));
        Assert.That(Upsample([Runs["maps/b.png"]], [Runs["photos"]], Runs["one.png"]).ExitCode, Is.EqualTo(ExitCode.Success));
        Runs.AssertRefuses(
            Upsample([Runs["map.png"]], [Runs["photos"]], Runs["o.png"]), ExitCode.Failure, "map.png", "no such file");
        WriteMap("map.png", 1);
        var run = Upsample([Runs["map.png"]], [Runs["photos"]], Runs["o.png"]);
        Runs.AssertRefuses(run, ExitCode.Failure, "map.png", "no photo", "--guide", "map");
    }

    [TestCase("frames/%03d.png", "shots/shot%d.png", "results/%05d.png", "00007.png", "00012.png")]
    [TestCase("frames/%03d.png", "shots/shot%d.png", "results/*.png", "007.png", "012.png")]
    [TestCase("frames/%03d.png", "shots/shot%d.png", "results", "007.png", "012.png")]
    public void Frames_are_matched_by_number(string maps, string guides, string results, params string[] expected)
    {
        foreach (string folder in (string[])["frames", "shots", "results"])
            Directory.CreateDirectory(Runs[folder]);
        foreach (int number in (int[])[7, 12])
        {
            WriteMap($"frames/{number:D3}.png", number);
            ImageFile.Write(Runs[$"shots/shot{number}.png"], Runs.Photo);
        }
        File.WriteAllText(Runs["frames/0012.png"], "another number of digits");
        File.WriteAllText(Runs["shots/shot07.png"], "another number of digits");
        var run = Upsample([Runs[maps]], [Runs[guides]], Runs[results]);
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((ExitCode.Success, string.Empty)));
        Assert.That(Names("results"), Is.EquivalentTo(expected));
        Assert.That(ImageFile.ReadSamples(Runs[$"results/{expected[1]}"]).Raster.Values, Is.All.EqualTo(12));
    }

    [Test]
    public void Failures_are_listed_and_the_others_are_done()
    {
        File.WriteAllText(Runs["maps/b.png"], "no image");
        WriteMap("maps/d.png", 1);
        ImageFile.Write(Runs["photos/e.png"], Runs.Photo);
        ImageFile.Write(Runs["photos/c.jpg"], Runs.Photo);
        var run = Upsample([Runs["maps"]], [Runs["photos"]], Runs["results"]);
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Failure));
        Assert.That(Names("results"), Is.EquivalentTo(new[] { "a.png" }));
        var lines = run.Errors.TrimEnd().Split('\n');
        Assert.That(lines, Has.Length.EqualTo(5));
        Assert.That(lines[0], Does.StartWith("Warning: no map was found for ").And.Contain("e.png"));
        Assert.That(lines[1], Is.EqualTo("3 of 4 maps failed:"));
        Assert.That(run.Errors, Does.Contain("b.png: not a readable image"));
        Assert.That(run.Errors, Does.Contain("d.png: no photo of --guide").And.Contain("has the name d"));
        Assert.That(run.Errors, Does.Match("c.png: .*c.jpg and .*c.png all have the name c"));
        Assert.That(run.Output, Does.StartWith("1 map (image) upsampled, 3 failed"));
    }

    [Test]
    public void Maps_of_one_name_are_ambiguous()
    {
        WriteMap("maps/a.tif", 3);
        var run = Upsample([Runs["maps"]], [Runs["photos"]], Runs["results"]);
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Failure));
        Assert.That(run.Errors, Does.Match("a.png and .*a.tif: these have one name"));
        Assert.That(Names("results"), Is.EquivalentTo(new[] { "b.png", "c.png" }));
    }

    [Test]
    public void What_is_done_is_not_done_again()
    {
        Directory.CreateDirectory(Runs["results"]);
        File.WriteAllText(Runs["results/b.png"], "complete");
        File.WriteAllText(Runs["results/.c-random.png"], "a part");
        var run = Upsample([Runs["maps"]], [Runs["photos"]], Runs["results"], "--resume");
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((ExitCode.Success, string.Empty)));
        Assert.That(run.Output, Does.StartWith("2 maps (image) upsampled, 1 skipped, "));
        Assert.That(File.ReadAllText(Runs["results/b.png"]), Is.EqualTo("complete"));
        run = Upsample([Runs["maps"]], [Runs["photos"]], Runs["results"], "--resume");
        Assert.That(run.Output, Does.StartWith("0 maps upsampled, 3 skipped, "));
        run = Upsample([Runs["maps/a.png"]], [Runs["photo.png"]], Runs["results/a.png"], "--resume");
        Assert.That(run.Output.Trim(), Is.EqualTo($"{Runs["results/a.png"]}: skipped, for it is there"));
    }

    [Test]
    public void Results_do_not_take_the_place_of_other_files()
    {
        Refuses(ExitCode.Failure, Runs["photos"], "--guide");
        Refuses(ExitCode.Failure, Runs["maps"], "--resume", "--resume");
        Refuses(ExitCode.Usage, Runs["o.png"], "%04d");
        Refuses(ExitCode.Usage, "-", "--output -");
        Refuses(ExitCode.Usage, Runs["other/%04d.png"], "number");
        Assert.That(Names("other"), Is.Empty);
        Assert.That(Upsample([Runs["maps"]], [Runs["photos"]], Runs["maps"]).ExitCode, Is.EqualTo(ExitCode.Success));
        Assert.That(ImageFile.ReadSamples(Runs["maps/a.png"]).Raster.SizeText, Is.EqualTo("32x24"));

        void Refuses(int code, string output, string text, params string[] more) => Runs.AssertRefuses(
            Upsample([Runs["maps"]], [Runs["photos"]], output, more), code, text);
    }

    [TestCase("none/*.png")]
    [TestCase("maps/%04d.png")]
    [TestCase("other")]
    [TestCase("none.png")]
    public void Nothing_there_is_told(string maps)
    {
        var run = Upsample([Runs[maps]], [Runs["photo.png"]], Runs["o.png"]);
        Runs.AssertRefuses(run, ExitCode.Failure, maps);
    }

    [Test]
    public void Names_that_look_like_patterns_are_files_where_there_are_such()
    {
        WriteMap("maps/[%d]*.png", 5);
        var run = Upsample([Runs["maps/[%d]*.png"]], [Runs["photo.png"]], Runs["one.png"]);
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((ExitCode.Success, string.Empty)));
    }

    [Test]
    public void Options_that_contradict_each_other_are_refused_once()
    {
        Runs.AssertRefuses(
            Upsample([Runs["maps"]], [Runs["photos"]], Runs["results"], "--fill", "--labels"), ExitCode.Usage, "--fill");
        Assert.That(Directory.Exists(Runs["results"]), Is.False);
        var run = ToolRun.Of(
            "upsample", "-i", Runs["maps"], "-g", Runs["photos"], "-o", Runs["results"], "--device", "abacus");
        Runs.AssertRefuses(run, ExitCode.Usage, "abacus");
    }

    [Test]
    public void Scores_are_means_over_all_maps()
    {
        Directory.CreateDirectory(Runs["truths"]);
        foreach (var (name, error) in ((string, int)[])[("a", 0), ("b", 1), ("c", 5)])
        {
            var truth = new Raster(UpsampleRuns.Height, UpsampleRuns.Width, 1);
            Array.Fill(truth.Values, name[0] + error);
            ImageFile.Write(Runs[$"truths/{name}.png"], truth, SampleType.UInt8);
        }
        string[] more = ["--truth", Runs["truths"], "--compare", Runs["figures"]];
        var run = Upsample([Runs["maps"]], [Runs["photos"]], Runs["results"], more);
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((ExitCode.Success, string.Empty)));
        Assert.That(run.Output, Does.Contain("Mean of 3").And.Match("SAPA +. +2.0000"));
        Assert.That(Names("figures"), Is.EquivalentTo(new[] { "a.png", "b.png", "c.png" }));
    }

    [Test]
    public void Json_is_all_that_is_on_standard_output()
    {
        File.WriteAllText(Runs["maps/b.png"], "no image");
        Directory.CreateDirectory(Runs["results"]);
        File.WriteAllText(Runs["results/c.png"], "complete");
        var run = Upsample([Runs["maps"]], [Runs["photos"]], Runs["results"], "--json", "--resume");
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Failure));
        using var report = JsonDocument.Parse(run.Output);
        var root = report.RootElement;
        Assert.That(root.GetProperty("device").GetString(), Does.StartWith("cpu"));
        Assert.That(root.GetProperty("seconds").GetDouble(), Is.GreaterThan(0));
        Assert.That(root.GetProperty("skipped").EnumerateArray().Single().GetString(), Does.EndWith("c.png"));
        Assert.That(
            root.GetProperty("failures").EnumerateArray().Single().GetProperty("error").GetString(), Does.Contain("not a readable"));
        var result = root.GetProperty("results").EnumerateArray().Single();
        Assert.That(result.GetProperty("input").GetString(), Is.EqualTo(Runs["maps/a.png"]));
        Assert.That(result.GetProperty("guide").GetString(), Is.EqualTo(Runs["photos/a.png"]));
        Assert.That(result.GetProperty("kind").GetString(), Is.EqualTo("image"));
        Assert.That(result.GetProperty("inputSize").GetString(), Is.EqualTo("8x6"));
        Assert.That(result.GetProperty("outputSize").GetString(), Is.EqualTo("32x24"));
        Assert.That(result.GetProperty("seconds").GetProperty("compute").GetDouble(), Is.GreaterThan(0));
        Assert.That(result.GetProperty("scores").ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    [Test]
    public void Json_of_one_map_has_its_scores()
    {
        Runs.WriteArray("map.npy", "<f4", [Height, Width], UpsampleRuns.Ramp());
        Runs.WriteArray(
            "truth.npy", "<f4", [UpsampleRuns.Height, UpsampleRuns.Width], UpsampleRuns.Enlarge(UpsampleRuns.Ramp()));
        var run = Runs.Upsample("map.npy", "large.npy", "--json", "--truth", Runs["truth.npy"]);
        UpsampleRuns.AssertSucceeds(run);
        using var report = JsonDocument.Parse(run.Output);
        var scores = report.RootElement.GetProperty("results")[0].GetProperty("scores");
        Assert.That(scores.GetProperty("nearest").GetProperty("Mean absolute error").GetDouble(), Is.Zero);
        Assert.That(scores.GetProperty("sapa").GetProperty("Mean absolute error").GetDouble(), Is.GreaterThan(0));
        Runs.AssertRefuses(
            ToolRun.Of("upsample", "-i", Runs["map.npy"], "-g", Runs["photo.png"], "-o", "-", "--json"), ExitCode.Usage, "--json");
    }

    [Test]
    public void Quiet_prints_warnings_only()
    {
        UpsampleRuns.AssertSucceeds(Upsample([Runs["maps"]], [Runs["photos"]], Runs["results"], "--quiet"));
        Assert.That(Upsample([Runs["maps"]], [Runs["photos"]], Runs["results"], "-q").Output, Is.Empty);
        WriteMap("turned.png", 1, Width, Height);
        var run = Upsample([Runs["turned.png"]], [Runs["photo.png"]], Runs["one.png"], "--quiet");
        Assert.That((run.ExitCode, run.Output), Is.EqualTo((ExitCode.Success, string.Empty)));
        Assert.That(run.Errors, Does.Contain("proportions"));
    }

    [Test]
    public void Results_in_folders_have_a_format_that_holds_them()
    {
        Directory.CreateDirectory(Runs["scores"]);
        Runs.WriteArray("scores/a.npy", "<f4", [2, Height, Width], UpsampleRuns.Ramp(2 * Height * Width));
        File.WriteAllBytes(Runs["scores/b.pgm"], [.. "P5 8 6 255\n"u8, .. new byte[Height * Width]]);
        Assert.That(Upsample([Runs["scores"]], [Runs["photos/?.png"]], Runs["results"]).ExitCode, Is.EqualTo(ExitCode.Success));
        Assert.That(Names("results"), Is.EquivalentTo(new[] { "a.npy", "b.png" }));
        var run = Upsample([Runs["scores/*.npy"]], [Runs["photos"]], Runs["classes"], "--argmax");
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Success));
        Assert.That(Names("classes"), Is.EquivalentTo(new[] { "a.png" }));
        Assert.That(NpyFile.Read(Runs["results/a.npy"]).Shape, Is.EqualTo(new[] { 2, UpsampleRuns.Height, UpsampleRuns.Width }));
    }

    private void WriteMap(string name, int value, int height = Height, int width = Width)
    {
        var map = new Raster(height, width, 1);
        Array.Fill(map.Values, value);
        ImageFile.Write(Runs[name], map, SampleType.UInt8);
    }

    private IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFiles(Runs[folder]).Select(path => Path.GetFileName(path)).Where(name => name[0] != '.');

    private static ToolRun Upsample(string[] inputs, string[] guides, string output, params string[] more) => ToolRun.Of(
        ["upsample", "-i", .. inputs, "-g", .. guides, "-o", output, "--device", "cpu", .. more]);
}
