using NUnit.Framework;
using SapaGpu.DeviceBenchmarks;
using SapaGpu.Tests.Grids;
using SapaGpu.Workloads;

namespace SapaGpu.Tests.Benchmarking;

/// <summary>What decides whether a device's results are timed at all, and what is then printed.</summary>
public sealed class DeviceBenchmarkTests
{
    private static IEnumerable<string> TypeOfThisTurn => TestPart.Of(["f32", "bf16"], turns: 2);

    [Test]
    public void Error_is_the_largest_difference_as_a_share_of_the_largest_value() =>
        Assert.That(SampleComparison.LargestError(Array(1, -3, 0), Array(1, -4, 0.5)), Is.EqualTo(0.25));

    [Test]
    public void Missing_value_is_no_small_error() =>
        Assert.That(SampleComparison.LargestError(Array(1, double.NaN), Array(1, 2)), Is.NaN);

    [Test]
    public void Error_of_the_backward_is_that_of_its_worst_gradient()
    {
        var expected = new OperatorSample([], Array(1), Array(1), [Array(1), Array(2)]);
        var actual = new OperatorSample([], Array(1), Array(7), [Array(1), Array(3)]);
        Assert.That(SampleComparison.Worst(Pass.Backward, actual, expected).Error, Is.EqualTo(0.5));
        Assert.That(SampleComparison.Worst(Pass.Forward, actual, expected).Error, Is.EqualTo(6));
    }

    [Test]
    [Category(TestPart.Category)]
    public void Every_operator_of_the_CPU_agrees_with_itself_and_is_timed(
        [ValueSource(nameof(TypeOfThisTurn))] string type)
    {
        using var device = ComputeDevice.Open("cpu", new DeviceOptions { MeasuresTime = true });
        var saved = new List<int>();
        var report = new DeviceMeasurement(device, Workload.Tiny, Workload.Tiny, TimeSpan.FromMilliseconds(1)).Run(
            [Cli.CommonOptions.Parse(type)], _ => { }, known => saved.Add(known.Results.Count));
        Assert.That(report.Failures, Is.Empty);
        Assert.That(report.Results, Has.Count.EqualTo(4 * DeviceMeasurement.Operators.Count));
        Assert.That(report.Results.Select(result => result.Timing.MedianMilliseconds), Is.All.Positive);
        Assert.That(saved, Is.Ordered.And.Count.EqualTo(2 * DeviceMeasurement.Operators.Count));
    }

    [Test]
    public void Runs_are_joined_and_the_last_counts()
    {
        var first = Report("a", (Operator.Bilinear, 1), (Operator.Nearest, 2));
        var second = Report("a", (Operator.Nearest, 3), (Operator.WindowAttention, 4));
        var joined = DeviceReport.Join([first, second]);
        Assert.That(
            joined.Results.Select(result => (result.Timing.Operator, result.Timing.MedianMilliseconds)),
            Is.EqualTo(new[] { (Operator.Bilinear, 1.0), (Operator.Nearest, 3.0), (Operator.WindowAttention, 4.0) }));
        Assert.That(
            () => DeviceReport.Join([first, Report("b")]),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("one device and workload"));
    }

    private static DeviceReport Report(string processor, params (Operator Operator, double Milliseconds)[] rows) => new(
        "cuda:0",
        processor,
        string.Empty,
        "W0",
        new DeviceLimits(1, 1),
        [.. rows.Select(row => new DeviceResult(
            new BenchmarkResult(
                row.Operator, Pass.Forward, "W0", "f32", MemoryFormat.Contiguous, row.Milliseconds, 1, 1, 1, default),
            0,
            0,
            0))],
        []);

    private static HostArray Array(params double[] values) => new("", [values.Length], values);
}
