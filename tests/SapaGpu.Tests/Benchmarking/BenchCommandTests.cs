using System.Text.Json;
using NUnit.Framework;
using SapaGpu.Tests.Guided;

namespace SapaGpu.Tests.Benchmarking;

/// <summary>
/// <c>sapagpu bench</c>, run once on the smallest workload. Nothing runs beside it, least of all another tool.
/// </summary>
[NonParallelizable]
public sealed class BenchCommandTests
{
    private static readonly string[] Formats = ["channels_last", "contiguous"];

    // Operations of 16 images of 8x8 cells: 1,024 cells, 4,096 queries, 102,400 taps; 64 and 256 channels.
    private static readonly Dictionary<(string Operator, string Pass), double> Operations = new()
    {
        [("window_attention", "forward")] = 65_536_000,
        [("window_attention", "backward")] = 144_179_200,
        [("sapa_b", "forward")] = 233_308_160,
        [("sapa_b", "backward")] = 479_723_520,
        [("carafe", "forward")] = 52_428_800,
        [("carafe", "backward")] = 104_857_600,
        [("bilinear", "forward")] = 6_291_456,
        [("bilinear", "backward")] = 6_291_456,
        [("nearest", "forward")] = 0,
        [("nearest", "backward")] = 0,
    };

    private ToolRun run = null!;
    private JsonElement report;

    private JsonElement[] Results => [.. report.GetProperty("results").EnumerateArray()];

    [OneTimeSetUp]
    public void Run()
    {
        run = ToolRun.Of("bench", "--workload", "small", "--device", "cpu", "--json");
        Assert.That(run.ExitCode, Is.Zero, run.Errors);
        report = JsonDocument.Parse(run.Output).RootElement;
    }

    [Test]
    public void Report_has_the_documented_members_and_no_others()
    {
        AssertMembers(report, "device", "processor", "limits", "results");
        AssertMembers(report.GetProperty("limits"), "fmaGflops", "copyGBps");
        foreach (var result in Results)
        {
            AssertMembers(
                result,
                "operator",
                "pass",
                "workload",
                "dtype",
                "memoryFormat",
                "medianMilliseconds",
                "gflops",
                "gigabytesPerSecond",
                "shareOfLimit",
                "limit");
        }
    }

    [Test]
    public void Nothing_else_is_printed()
    {
        Assert.That(run.Output.TrimStart(), Does.StartWith("{"));
        Assert.That(run.Output.TrimEnd(), Does.EndWith("}"));
        Assert.That(run.Errors, Is.Empty);
    }

    [Test]
    public void Device_and_problem_are_named()
    {
        Assert.That(Text(report, "device"), Is.EqualTo("cpu"));
        Assert.That(Text(report, "processor"), Is.Not.Empty);
        foreach (var result in Results)
        {
            Assert.That(Text(result, "workload"), Is.EqualTo("small"));
            Assert.That(Text(result, "dtype"), Is.EqualTo("f32"));
            Assert.That(Text(result, "limit"), Is.AnyOf("fma", "copy"));
        }
    }

    [Test]
    public void Every_operator_pass_and_format_is_there_once()
    {
        var expected =
            from call in Operations.Keys
            from format in Formats
            select (call.Operator, call.Pass, format);
        Assert.That(
            Results.Select(result => (Text(result, "operator"), Text(result, "pass"), Text(result, "memoryFormat"))),
            Is.EquivalentTo(expected));
    }

    [Test]
    public void Rates_follow_from_the_operations_and_the_time()
    {
        var limits = report.GetProperty("limits");
        double fma = Number(limits, "fmaGflops");
        double copy = Number(limits, "copyGBps");
        Assert.That(fma, Is.Positive);
        Assert.That(copy, Is.Positive);
        foreach (var result in Results)
        {
            double seconds = Number(result, "medianMilliseconds") * 1e-3;
            double gflops = Number(result, "gflops");
            double bytes = Number(result, "gigabytesPerSecond");
            Assert.That(seconds, Is.Positive);
            Assert.That(bytes, Is.Positive);
            double operations = Operations[(Text(result, "operator"), Text(result, "pass"))];
            Assert.That(gflops * seconds * 1e9, Is.EqualTo(operations).Within(1e-6).Percent, $"{result}");

            // The share is that of the limit that binds, which is the larger of the two.
            double share = Math.Max(gflops / fma, bytes / copy);
            Assert.That(Number(result, "shareOfLimit"), Is.EqualTo(share).Within(1e-6).Percent, $"{result}");
            Assert.That(Text(result, "limit"), Is.EqualTo(gflops / fma > bytes / copy ? "fma" : "copy"), $"{result}");
        }
    }

    [Test]
    public void Unknown_workload_is_a_usage_error_that_names_the_known_ones()
    {
        var failed = ToolRun.Of("bench", "--workload", "enormous", "--device", "cpu", "--json");
        Assert.That(failed.ExitCode, Is.EqualTo(2));
        Assert.That(failed.Output, Is.Empty);
        foreach (string name in new[] { "enormous", "W0", "segformer", "fpn", "W1-x2", "W1-x16", "small" })
            Assert.That(failed.Errors, Does.Contain(name));
    }

    private static void AssertMembers(JsonElement element, params string[] names) =>
        Assert.That(element.EnumerateObject().Select(member => member.Name), Is.EquivalentTo(names));

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static double Number(JsonElement element, string name) => element.GetProperty(name).GetDouble();
}
