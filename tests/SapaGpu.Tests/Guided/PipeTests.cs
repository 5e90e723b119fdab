using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Images;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Guided;

/// <summary>Standard input, standard output and pipes, in processes of their own.</summary>
[TestFixture]
[Platform(Include = "Linux")]
internal sealed class PipeTests : UpsampleFixture
{
    private static readonly string Tool =
        $"dotnet '{typeof(ExitCode).Assembly.Location}' upsample --method nearest";

    [SetUp]
    public void WriteInputs()
    {
        var map = new Raster(
            UpsampleRuns.MapHeight, UpsampleRuns.MapWidth, 1, [.. UpsampleRuns.Ramp().Select(value => (float)value)]);
        ImageFile.Write(Runs["map.png"], map, SampleType.UInt8);
        Runs.WriteArray(
            "map.npy", "<f4", [UpsampleRuns.MapHeight, UpsampleRuns.MapWidth], UpsampleRuns.Ramp());
    }

    [TestCase("--input - --output large.png --guide photo.png < map.png")]
    [TestCase("--input /dev/stdin --output large.png --guide photo.png < map.png")]
    [TestCase("--input <(cat map.png) --output large.png --guide <(cat photo.png)")]
    [TestCase("--input map.png --output - --guide photo.png > large.png")]
    [TestCase("--input - --output - --guide photo.png < map.png | cat > large.png")]
    [TestCase("--input map.png --output /dev/stdout --guide photo.png > large.png")]
    [TestCase("--input map.png --output >(cat > large.png) --guide photo.png; sleep 0.2")]
    public void Images_go_through_pipes(string arguments)
    {
        Run(arguments);
        var (large, _) = ImageFile.ReadSamples(Runs["large.png"]);
        Assert.That(large.Values, Is.EqualTo(UpsampleRuns.Enlarge(UpsampleRuns.Ramp())));
    }

    [Test]
    public void Arrays_go_through_pipes()
    {
        var (_, errors) = Run("--input - --output - --guide photo.png < map.npy > large.npy");
        Assert.That(NpyFile.Read(Runs["large.npy"]).Values, Is.EqualTo(UpsampleRuns.Enlarge(UpsampleRuns.Ramp())));
        Assert.That(errors, Does.Contain("nearest"), "the summary");
    }

    [Test]
    public void Standard_input_is_named_once_and_not_empty()
    {
        var (code, errors) = Run("--input - --output large.png --guide - < map.png", ExitCode.Usage);
        Assert.That((code, errors), Is.EqualTo((ExitCode.Usage, errors)));
        Assert.That(errors, Does.Contain("--guide").And.Contain("--input"));
        Assert.That(
            Run("--input - --output large.png --guide photo.png < /dev/null", ExitCode.Failure).Errors,
            Does.Contain("standard input"));
    }

    private (int Code, string Errors) Run(string arguments, int expected = ExitCode.Success)
    {
        var (code, output, errors) = ChildProcess.Run(
            "bash", [], ["-c", $"cd '{Path.GetDirectoryName(Runs["photo.png"])}' && {Tool} {arguments}"]);
        Assert.That(code, Is.EqualTo(expected), output + errors);
        return (code, errors);
    }
}
