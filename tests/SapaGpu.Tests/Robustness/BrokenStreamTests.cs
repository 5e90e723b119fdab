using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Images;
using SapaGpu.Tests.Guided;

namespace SapaGpu.Tests.Robustness;

/// <summary>Standard streams that are full, closed or nobody reads, in processes of their own.</summary>
[TestFixture]
[Platform(Include = "Linux")]
internal sealed class BrokenStreamTests
{
    private UpsampleRuns runs = null!;

    [OneTimeSetUp]
    public void WriteInputs()
    {
        runs = new UpsampleRuns();
        ImageFile.Write(runs["map.png"], new Raster(UpsampleRuns.MapHeight, UpsampleRuns.MapWidth, 1), SampleType.UInt8);
    }

    [OneTimeTearDown]
    public void RemoveFiles() => runs.Dispose();

    [TestCase("man > /dev/full", ExitCode.Failure, "standard output")]
    [TestCase("info > /dev/full", ExitCode.Failure, "standard output")]
    [TestCase("--help > /dev/full", ExitCode.Failure, "standard output")]
    [TestCase("upsample -g photo.png -i map.png -o - --method nearest > /dev/full", ExitCode.Failure, "No space left")]
    [TestCase("upsample -g photo.png -i map.png -o - --method nearest > large.png 2> /dev/full", ExitCode.Success, "")]
    [TestCase("--nothing 2> /dev/full", ExitCode.Usage, "")]
    [TestCase("--nothing 2>&-", ExitCode.Usage, "")]
    [TestCase("verify /no/such/folder > /dev/full 2> /dev/full", ExitCode.Failure, "")]
    public void The_exit_code_tells_where_a_stream_cannot(string arguments, int code, string error)
    {
        var run = Run($"{Program} {arguments}");
        Assert.That(run.Code, Is.EqualTo(code), run.Errors);
        Assert.That(ToolAssert.Lines(run.Errors), Has.Length.EqualTo(error.Length > 0 ? 1 : 0), run.Errors);
        Assert.That(run.Errors, Does.Contain(error));
    }

    [Test]
    public void A_reader_may_stop_reading()
    {
        var run = Run($"{Program} man | head -n 1; exit ${{PIPESTATUS[0]}}");
        Assert.That((run.Code, run.Errors), Is.EqualTo((ExitCode.Success, string.Empty)));
        Assert.That(run.Output, Does.StartWith(".TH"));
    }

    [Test]
    public void Without_standard_output_a_run_ends_with_an_exit_code()
    {
        var run = Run($"{Program} man >&-");
        Assert.That(run.Code, Is.InRange(ExitCode.Success, ExitCode.NoDevice));
        Assert.That(ToolAssert.Lines(run.Errors), Has.Length.LessThanOrEqualTo(1));
    }

    private static string Program => $"dotnet '{typeof(ExitCode).Assembly.Location}'";

    private (int Code, string Output, string Errors) Run(string script) =>
        ChildProcess.Run("bash", [], ["-c", $"cd '{Path.GetDirectoryName(runs["photo.png"])}' && {script}"]);
}
