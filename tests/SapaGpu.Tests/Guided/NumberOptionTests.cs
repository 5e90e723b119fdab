using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Guided;

[TestFixture]
[NonParallelizable]
internal sealed class NumberOptionTests
{
    [TestCase("--sigma-color", "0,25", "0.25")]
    [TestCase("--sigma-space", "1,5", "1.5")]
    [TestCase("--unknown", "-9999,5", "-9999.5")]
    [TestCase("--window", "5,0", "5.0")]
    [TestCase("--unknown", "1,000,000", "decimal point")]
    [TestCase("--sigma-color", "abc", "not a number")]
    [TestCase("--sigma-space", "1..5", "not a number")]
    [TestCase("--unknown", "none", "not a number")]
    [TestCase("--unknown", "1e999", "not a number")]
    [TestCase("--window", "wide", "not a number")]
    [TestCase("--window", "5.5", "odd")]
    [TestCase("--window", "nan", "odd")]
    [TestCase("--sigma-space", "nan", "from 1E-06 to 1000000")]
    [TestCase("--sigma-color", "1e-40", "from 1E-06 to 1000000")]
    public void What_is_no_number_is_a_usage_error_in_one_line(string option, string value, string remedy)
    {
        using var runs = new UpsampleRuns();
        runs.WriteArray("map.npy", "<f4", [UpsampleRuns.MapHeight, UpsampleRuns.MapWidth], UpsampleRuns.Ramp());
        var run = runs.Upsample("map.npy", "o.npy", option, value);
        runs.AssertRefuses(run, ExitCode.Usage, option, value, remedy);
        Assert.That(run.Errors, Does.Not.Contain("System."));
    }

    [TestCase("inf", double.PositiveInfinity)]
    [TestCase("+Inf", double.PositiveInfinity)]
    [TestCase("-INF", double.NegativeInfinity)]
    [TestCase("Infinity", double.PositiveInfinity)]
    [TestCase("nan", double.NaN)]
    [TestCase("NAN", double.NaN)]
    [TestCase("-9.9990e3", -9999)]
    public void Marks_are_read_in_any_case(string text, double mark)
    {
        using var runs = new UpsampleRuns();
        runs.WriteArray("map.npy", "<f4", [UpsampleRuns.MapHeight, UpsampleRuns.MapWidth], OneMissing(mark));
        UpsampleRuns.AssertSucceeds(runs.Upsample("map.npy", "large.npy", "--unknown", text));
        var values = NpyFile.Read(runs["large.npy"]).Values;
        Assert.That(values.Where(value => !value.Equals(mark)), Is.All.InRange(0, UpsampleRuns.Ramp().Length));
        Assert.That(values.Count(value => value.Equals(mark)), Is.InRange(1, 32));
    }

    [Test]
    public void Several_marks_become_the_first()
    {
        using var runs = new UpsampleRuns();
        var values = OneMissing(double.NaN);
        values[^1] = double.PositiveInfinity;
        runs.WriteArray("map.npy", "<f4", [UpsampleRuns.MapHeight, UpsampleRuns.MapWidth], values);
        UpsampleRuns.AssertSucceeds(runs.Upsample("map.npy", "large.npy", "--unknown", "inf", "--unknown", "nan"));
        var large = NpyFile.Read(runs["large.npy"]).Values;
        Assert.That(large, Has.None.NaN.And.Some.EqualTo(double.PositiveInfinity));
        Assert.That(large.Count(double.IsInfinity), Is.InRange(2, 48));
    }

    private static double[] OneMissing(double mark)
    {
        var values = UpsampleRuns.Ramp();
        values[values.Length / 2 + 3] = mark;
        return values;
    }
}
