using System.Text;
using System.Text.Json;
using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Images;
using SapaGpu.Tests.Guided;

namespace SapaGpu.Tests.Robustness;

/// <summary>Names of files that a terminal, libvips or a file system would take for something else.</summary>
[TestFixture]
[Platform(Include = "Linux")]
[NonParallelizable]
internal sealed class StrangeNameTests : UpsampleFixture
{
    private const string Escapes = "a\u001b[31m\u009b2J\n\r\u202eb";
    private const string Visible = "a\\x1b[31m\\x9b2J\\n\\r\\u202eb";

    [SetUp]
    public void WriteInputs()
    {
        ImageFile.Write(Runs["map.png"], new Raster(6, 8, 1), SampleType.UInt8);
    }

    [Test]
    public void Control_characters_of_names_are_shown_and_not_obeyed()
    {
        File.Copy(Runs["map.png"], Runs[$"{Escapes}.png"]);
        var large = Runs.Upsample($"{Escapes}.png", $"{Escapes}-large.png", "--method", "nearest");
        UpsampleRuns.AssertSucceeds(large);
        AssertShows(large.Output, large);

        var missing = Runs.Upsample($"{Escapes}.npy", "large.npy");
        ToolAssert.EndsProperly(missing, missing.Errors);
        AssertShows(missing.Errors, missing);

        ImageFile.Write(Runs[$"{Escapes}-turned.png"], new Raster(8, 6, 1), SampleType.UInt8);
        var warned = Runs.Upsample($"{Escapes}-turned.png", "large.png", "--compare", Runs[$"{Escapes}-figure.png"]);
        Assert.That(warned.ExitCode, Is.EqualTo(ExitCode.Success), warned.Errors);
        AssertShows(warned.Errors, warned);
        Assert.That(File.Exists(Runs[$"{Escapes}-figure.png"]));
    }

    [Test]
    public void Control_characters_of_many_names_are_shown_and_not_obeyed()
    {
        foreach (string part in (string[])["photos", "maps"])
            Directory.CreateDirectory(Runs[part]);
        File.Copy(Runs["photo.png"], Runs[$"photos/{Escapes}.png"]);
        File.Copy(Runs["photo.png"], Runs["photos/damaged.png"]);
        File.Copy(Runs["map.png"], Runs[$"maps/{Escapes}.png"]);
        File.WriteAllText(Runs[$"maps/{Escapes}2.png"], "nothing");
        string[] arguments = ["--guide", Runs["photos"], "--method", "nearest", "--json"];
        var run = Runs.Upsample("maps", "results", arguments);
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Failure));
        AssertShows(run.Errors, run);
        var results = JsonDocument.Parse(run.Output).RootElement.GetProperty("results");
        Assert.That(results[0].GetProperty("input").GetString(), Does.EndWith($"maps/{Escapes}.png"));
    }

    [Test]
    public void Control_characters_in_an_archive_are_shown_and_not_obeyed()
    {
        using (var archive = System.IO.Compression.ZipFile.Open(Runs["map.npz"], System.IO.Compression.ZipArchiveMode.Create))
        {
            archive.CreateEntry($"{Escapes}.npy");
            archive.CreateEntry("other.npy");
        }
        var run = Runs.Upsample("map.npz", "large.npy");
        ToolAssert.EndsProperly(run, run.Errors);
        AssertShows(run.Errors, run);
    }

    [TestCase("photo[1].png")]
    [TestCase("photo.png[access=sequential]")]
    [TestCase("photo.png[")]
    [TestCase("[page=3]")]
    public void Brackets_of_names_are_no_options(string name)
    {
        File.Copy(Runs["photo.png"], Runs[name]);
        File.Copy(Runs["map.png"], Runs[$"map {name}"]);
        Runs.Enlarge($"map {name}", "large.png", "--guide", Runs[name]);
        Runs.Enlarge("map.png", "large[1].png");
        Assert.That(File.Exists(Runs["large[1].png"]));
    }

    [Test]
    public void Names_may_begin_as_files_of_arguments_do() => Assert.That(
        ToolRun.Of("verify", "@no/such/folder").Errors, Does.Contain("@no/such/folder: there is no index.json"));

    [TestCase("plain, ä, 漢, 😀", "plain, ä, 漢, 😀")]
    [TestCase("\0\a\b\u007f\u009f", "\\x00\\x07\\x08\\x7f\\x9f")]
    [TestCase("\u200b\u202e\u2028\u2066\ufeff", "\\u200b\\u202e\\u2028\\u2066\\ufeff")]
    public void What_a_terminal_obeys_is_shown(string text, string visible) => Assert.That(VisibleText.Of(text), Is.EqualTo(visible));

    [Test]
    public void Halves_of_characters_are_shown() => Assert.That(VisibleText.Of("a\ud83db\ude00"), Is.EqualTo("a\\ud83db\\ude00"));

    [Test]
    public void Names_may_be_as_long_as_the_file_system_allows()
    {
        string name = new string('x', 251) + ".png";
        Runs.Enlarge("map.png", name);
        Assert.That(File.Exists(Runs[name]));
        string wide = string.Concat(Enumerable.Repeat("\u00e4", 120)) + "12345678901.png";
        Assert.That(Encoding.UTF8.GetByteCount(wide), Is.EqualTo(255));
        Runs.Enlarge("map.png", wide);
        Runs.AssertRefuses(Runs.Upsample("map.png", $"o.{wide}"), ExitCode.Failure, "255 bytes");
    }

    private static void AssertShows(string text, ToolRun run)
    {
        Assert.That(text, Does.Contain(Visible));
        ToolAssert.IsPlain(run, text);
    }
}
