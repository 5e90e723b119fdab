using NUnit.Framework;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Cells of many queries, whose gradients are products of matrices on the CPU: against the composition in double
/// precision, with maps of several tiles and windows that are no multiple of what is computed at a time.
/// </summary>
[TestFixture]
public sealed class LargeRatioTests
{
    private static readonly WindowShape[] Shapes =
    [
        new(2, 3, 5, 9, 4, 5, 20),
        new(1, 21, 2, 3, 4, 4, 68),
        new(1, 2, 27, 5, 5, 3, 6),
        new(1, 3, 3, 7, 8, 4, 100),
        new(1, 1, 2, 15, 4, 2, 3),
    ];

    [Test]
    public void Gradients_match_the_composition(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device,
        [Values] MemoryFormat format,
        [ValueSource(nameof(Shapes))] WindowShape shape)
    {
        var operands = new OptionsCase(shape, new WindowAttentionOptions { Window = shape.Window }).RoundedTo<float>();
        var exact = new NaiveAttention<double>(operands, value => value).Run();
        Check<float>(TestDevices.Open(device), format, operands, exact);
        Check<double>(TestDevices.Open(device), format, operands, exact);
    }

    // The forward is that of window attention, so that it tells whether the ranges are its windows.
    [Test]
    public void Every_border_is_that_of_the_ranges(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device,
        [Values] BorderRule border,
        [Values(1, 2)] int heads,
        [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var options = new WindowAttentionOptions { Window = 7, Border = border, Heads = heads };
        var operands = new OptionsCase(new WindowShape(2, 7, 8, 7, 10, 6, 4), options);
        using var query = operands.Query.ToTensor<double>(opened, format);
        using var key = operands.Key.ToTensor<double>(opened, format);
        using var value = operands.Value.ToTensor<double>(opened, format);
        using var gradOutput = operands.GradOutput.ToTensor<double>(opened, format);
        Assert.That(WindowAttention.Describe(query, key, value, options), Does.Contain("cross-resolution"));
        using var output = WindowAttention.Forward(query, key, value, options, out var context);
        using var gradients = WindowAttention.Backward(context, gradOutput);
        context.Dispose();
        var ranges = WindowRanges.Window(7, 8, 70, 80, 7, 7, border);
        using var expected = CrossAttention.Forward(
            query, key, value, ranges, new CrossAttentionOptions { Heads = heads, ScoreScale = 1 }, null, out var cross);
        using var others = CrossAttention.Backward(cross, gradOutput);
        cross.Dispose();
        string what = $"{device} {format} {operands}";
        Near.Backward(output, Compare.Values(expected), $"output, {what}");
        Near.Backward(gradients.Query!, Compare.Values(others.Query!), $"query, {what}");
        Near.Backward(gradients.Key!, Compare.Values(others.Key!), $"key, {what}");
        Near.Backward(gradients.Value!, Compare.Values(others.Value!), $"value, {what}");
    }

    [Test]
    public void Neither_threads_nor_the_workspace_change_the_bits([Values] MemoryFormat format)
    {
        var operands = new OptionsCase(new WindowShape(2, 6, 30, 9, 8, 4, 4), new WindowAttentionOptions { Window = 9 });
        using var one = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = 1 });
        using var many = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = 5, WorkspaceBytes = 1 << 10 });
        Assert.That(AttentionRun.Of<float>(many, operands, format), Is.EqualTo(AttentionRun.Of<float>(one, operands, format)));
    }

    // Queries that do not see the same cells are summed apart where a value is not finite, so that sums round in other places.
    [Test]
    public void An_infinity_stays_within_its_windows(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device, [Values(4, 8)] int scale)
    {
        const int Row = 2, Column = 5, Radius = 4;
        var opened = TestDevices.Open(device);
        var options = new WindowAttentionOptions { Window = 2 * Radius + 1 };
        var operands = new OptionsCase(new WindowShape(1, 3, 30, options.Window, scale, 4, 4), options);
        var expected = AttentionRun.Of<float>(opened, operands, MemoryFormat.ChannelsLast);
        operands.GradOutput[0, 1, scale * Row + 1, scale * Column] = double.PositiveInfinity;
        var actual = AttentionRun.Of<float>(opened, operands, MemoryFormat.ChannelsLast);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(actual[3].Any(double.IsInfinity), "The infinity reaches a value.");
            for (int result = 2; result <= 3; result++)
            {
                for (int i = 0; i < actual[result].Length; i++)
                {
                    if (Math.Abs(i % 30 - Column) > Radius)
                        Assert.That(actual[result][i], Is.EqualTo(expected[result][i]).Within(1e-5), $"{device}, result {result}, {i}");
                }
            }
        }
    }

    private static void Check<T>(ComputeDevice device, MemoryFormat format, OptionsCase operands, double[][] exact)
        where T : unmanaged
    {
        string what = $"{device} {typeof(T).Name} {format} {operands}";
        using var query = operands.Query.ToTensor<T>(device, format);
        using var key = operands.Key.ToTensor<T>(device, format);
        using var value = operands.Value.ToTensor<T>(device, format);
        using var gradOutput = operands.GradOutput.ToTensor<T>(device, format);
        using var output = WindowAttention.Forward(query, key, value, operands.Options, out var context);
        using var gradients = WindowAttention.Backward(context, gradOutput);
        context.Dispose();
        Near.Forward(output, ReferenceMap.From(operands.OutputShape, exact[0]), what);
        Near.Backward(gradients.Query!, exact[1], $"query, {what}");
        Near.Backward(gradients.Key!, exact[2], $"key, {what}");
        Near.Backward(gradients.Value!, exact[3], $"value, {what}");
    }
}
