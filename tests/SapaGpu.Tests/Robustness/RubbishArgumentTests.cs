using System.CommandLine;
using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Commands;
using SapaGpu.Cli.Guided.Models;
using SapaGpu.Cli.Images;
using SapaGpu.Tests.Guided;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Robustness;

/// <summary>
/// Rubbish as the value of every option and argument of every command, found in the tree of commands so that a new option
/// is tested, too.
/// </summary>
[TestFixture]
[NonParallelizable]
internal sealed class RubbishArgumentTests
{
    private const string Escapes = "\u001b[31m\u0007\u009b2J\u202e\n\r\tend";

    private TemporaryFolder folder = null!;

    private static IEnumerable<string> Commands =>
        Tool.Create().Subcommands.Select(command => command.Name);

    private string[] Values =>
    [
        string.Empty, " ", "abc", "-1", "0", "1e999", "NaN", "-inf", "99999999999999999999", new string('x', 10_000), Escapes,
        "\ud800", "nothing\0nothing", "/no/such/file.png", folder.Path, "@/no/such/response", "%04d%s{0}", "*", "[access=sequential]",
        "--", "0,0,0,0", "0,0,4294967297,1",
    ];

    [OneTimeSetUp]
    public void WriteInputs()
    {
        folder = new TemporaryFolder();
        ImageFile.Write(folder["photo.png"], DemoScene.Draw(12, 16).Photo);
        ImageFile.Write(folder["map.png"], new Raster(3, 4, 1), SampleType.UInt8);
        using var module = new CarafeUpsampler<float>(TestDevices.Open("cpu"), new CarafeOptions { Channels = 4 });
        module.ToStateDict().Save(folder["module.safetensors"]);
        SmallModels.Save(UpsamplingModel.Naf, folder["naf.safetensors"]);
        NpyFile.Write(folder["features.npy"], [4, 3, 4], new float[48]);
    }

    [OneTimeTearDown]
    public void RemoveFiles() => folder.Dispose();

    [TestCaseSource(nameof(Commands))]
    public void Rubbish_ends_with_an_exit_code_and_one_line(string name)
    {
        var command = Tool.Create().Subcommands.Single(command => command.Name == name);
        int tried = 0;
        foreach (string value in Values)
        {
            foreach (var option in command.Options)
            {
                Check([name, .. Needed(command, option), option.Name, value]);
                Check([name, .. Needed(command, option), $"{option.Name}={value}"]);
            }
            Check([name, .. Needed(command, null), value]);
            Check([.. command.Arguments.Count > 0 ? (string[])[name, value] : [name, .. Needed(command, null), "--", value]]);
        }
        foreach (var option in command.Options.Where(option => option.Arity.MinimumNumberOfValues > 0))
            Check([name, option.Name]);
        Assert.That(tried, Is.GreaterThanOrEqualTo(2 * Values.Length));

        void Check(string[] arguments)
        {
            tried++;
            ToolAssert.EndsProperly(ToolRun.Of(arguments), string.Join(' ', arguments));
        }
    }

    [Test]
    public void Rubbish_in_place_of_a_command_ends_with_an_exit_code_and_one_line()
    {
        string[] directives = ["[suggest:abc]", "[suggest:-1]", "[suggest:99999999999999]", "[diagram]", "[nothing]", "[env:a=b]", "["];
        foreach (string value in (string[])[.. Values, .. directives])
        {
            var run = ToolRun.Of(value);
            Assert.That(run.ExitCode, Is.InRange(ExitCode.Success, ExitCode.NoDevice), value);
            Assert.That(ToolAssert.Lines(run.Errors), Has.Length.LessThanOrEqualTo(1), value);
            ToolAssert.IsPlain(run, value);
        }
    }

    /// <summary>What a command needs besides the option, so that a run comes to nothing or is short.</summary>
    private IEnumerable<string> Needed(Command command, Option? option)
    {
        string[][] needed = command.Name switch
        {
            "upsample" when option is not null && new ModelOptions().All.Any(other => other.Name == option.Name) =>
            [
                ["--guide", folder["photo.png"]], ["--input", folder["features.npy"]], ["--output", folder["large.npy"]],
                ["--model", "naf"], ["--checkpoint", folder["naf.safetensors"]], ["--device", "cpu"],
            ],
            "upsample" =>
            [
                ["--guide", folder["photo.png"]], ["--input", folder["map.png"]], ["--output", folder["large.png"]],
                ["--method", "nearest"], ["--device", "cpu"],
            ],
            "export" =>
            [
                ["--checkpoint", folder["module.safetensors"]], ["--module", "carafe"], ["--output", folder["module.onnx"]],
            ],
            "bench" => [["--workload", "none"]],
            "verify" => [[folder.Path]],
            "completion" => [["bash"]],
            _ => [],
        };
        return needed.Where(words => words[0] != option?.Name).SelectMany(words => words);
    }
}
