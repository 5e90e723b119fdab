using System.Globalization;
using NUnit.Framework;
using SapaGpu.Kernels.Policies;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Traffic;

/// <summary>
/// What the window kernels access of the feature maps, counted thread by thread in the emulator: one group in the
/// middle of a map, single precision, 256 channels, K 5, D 64, ratio 2.
/// </summary>
[NonParallelizable]
public sealed class TrafficTests
{
    private const int Height = 24;
    private const int Width = 96;
    private const int LineBytes = 128;

    private static readonly WindowShape Shape = new(1, Height, Width, 5, 2, 64, 256);

    private static readonly Dictionary<(MemoryFormat, string), (AccessCounts, long)> Known = [];

    // The first-level cache of a large GPU serves about nine times as many lines as come from memory: with more passes
    // than that for every line that has to come, it binds. Here is what the kernels take, and some room for a change.
    private static readonly object[] Limits =
    [
        new object[] { MemoryFormat.ChannelsLast, "forward", 6.8 },
        new object[] { MemoryFormat.Contiguous, "forward", 19.0 },
        new object[] { MemoryFormat.ChannelsLast, "backward of queries", 9.2 },
        new object[] { MemoryFormat.Contiguous, "backward of queries", 46.0 },
        new object[] { MemoryFormat.ChannelsLast, "gradient of the value", 15.0 },
        new object[] { MemoryFormat.Contiguous, "gradient of the value", 70.0 },
    ];

    // Every thread of a group counts, some ten seconds for a kernel.
    private static IEnumerable<object> LimitsOfThisTurn => TestPart.Of(Limits, turns: 6);

    [TestCaseSource(nameof(LimitsOfThisTurn))]
    [Category(TestPart.Category)]
    public void Kernels_take_few_passes_for_every_line_that_has_to_come(
        MemoryFormat format, string kernel, double limit)
    {
        var (counts, floor) = Count(format, kernel);
        Assert.That((double)counts.Passes * LineBytes / floor, Is.LessThan(limit));

        // A tile of 64 cells has 256 queries of 256 channels, each written once.
        if (kernel == "forward")
            Assert.That(counts.WrittenBytes, Is.EqualTo(64 * 4 * 256 * sizeof(float)));
    }

    [Test]
    public void Table_of_the_traffic()
    {
        const string Row = "{0,-24} {1,-13} {2,9} {3,9} {4,9} {5,11} {6,8} {7,8}";
        TestContext.Out.WriteLine(
            Row, "kernel", "format", "floor kB", "read kB", "write kB", "request kB", "passes", "a line");
        foreach (var limit in LimitsOfThisTurn.Cast<object[]>())
        {
            var (format, kernel) = ((MemoryFormat)limit[0], (string)limit[1]);
            var (counts, floor) = Count(format, kernel);
            TestContext.Out.WriteLine(string.Format(
                CultureInfo.InvariantCulture,
                Row,
                kernel,
                format,
                floor / 1000,
                counts.ReadBytes / 1000,
                counts.WrittenBytes / 1000,
                counts.RequestedBytes / 1000,
                counts.Passes,
                Math.Round((double)counts.Passes * LineBytes / floor, 1)));
            Assert.That(counts.ReadBytes + counts.WrittenBytes, Is.GreaterThanOrEqualTo(floor));
        }
    }

    private static (AccessCounts Counts, long FloorBytes) Count(MemoryFormat format, string kernel)
    {
        if (!Known.TryGetValue((format, kernel), out var counted))
            Known.Add((format, kernel), counted = CountAnew(format, kernel));
        return counted;
    }

    // The floor is what a group's own cells and queries have to read and write of the feature maps.
    private static (AccessCounts Counts, long FloorBytes) CountAnew(MemoryFormat format, string kernel)
    {
        using var device = ComputeDevice.OpenEmulator();
        using var operands = new TrafficOperands(device, Shape, format);
        return (kernel, format) switch
        {
            ("forward", MemoryFormat.ChannelsLast) => operands.Forward<VectorAccess>(),
            ("forward", _) => operands.Forward<StridedAccess>(),
            ("backward of queries", MemoryFormat.ChannelsLast) => operands.Backward<VectorAccess>(),
            ("backward of queries", _) => operands.Backward<StridedAccess>(),
            (_, MemoryFormat.ChannelsLast) => operands.ValueGradient<VectorAccess>(),
            _ => operands.ValueGradient<StridedAccess>(),
        };
    }
}
