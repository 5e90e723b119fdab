using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>Window attention against the reference, on every device, in both formats and precisions.</summary>
[TestFixture]
public sealed class WindowAttentionTests
{
    private static readonly Dictionary<(WindowProblem, BorderRule), AttentionCase> Cases = [];

    [Test]
    [DeviceGrid]
    public void Forward_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device,
        [Values] MemoryFormat format,
        [Values] BorderRule border)
    {
        var opened = TestDevices.Open(device);
        foreach (var problem in WindowProblem.All.Where(p => p.Fits(border)))
        {
            var operands = Case(problem, border);
            var expected = operands.Forward();
            Run<float>(opened, operands, expected, format);
            Run<double>(opened, operands, expected, format);
        }
    }

    [Test]
    [DeviceGrid]
    public void Backward_matches_the_exact_derivatives_of_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device,
        [Values] MemoryFormat format,
        [Values] BorderRule border)
    {
        var opened = TestDevices.Open(device);
        foreach (var problem in WindowProblem.Small.Where(p => p.Fits(border)))
        {
            var operands = Case(problem, border);
            RunBackward<float>(opened, operands, format);
            RunBackward<double>(opened, operands, format);
        }
    }

    [Test]
    [DeviceGrid]
    public void Operands_may_have_different_formats(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device)
    {
        var opened = TestDevices.Open(device);
        var operands = new AttentionCase(new WindowProblem(1, 3, 4, 5, 2, 8, 20), BorderRule.ZeroLogit);
        var expected = operands.Forward();
        using var query = operands.Query.ToTensor<float>(opened, MemoryFormat.Contiguous);
        using var key = operands.Key.ToTensor<float>(opened, MemoryFormat.ChannelsLast);
        using var value = operands.Value.ToTensor<float>(opened, MemoryFormat.ChannelsLast);
        using var output = FeatureMap<float>.Create(
            opened, operands.Problem.Shape.OutputShape, MemoryFormat.Contiguous);
        WindowAttention.Forward(query, key, value, output, operands.Options);
        Compare.Forward(output, expected, $"{device}: query and output contiguous, key and value channels-last");
    }

    [Test]
    [DeviceGrid]
    public void The_output_has_the_format_of_the_value(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var operands = new AttentionCase(new WindowProblem(1, 2, 2, 3, 2, 4, 4), BorderRule.ZeroLogit);
        using var query = operands.Query.ToTensor<float>(opened, MemoryFormat.Contiguous);
        using var key = operands.Key.ToTensor<float>(opened, MemoryFormat.Contiguous);
        using var value = operands.Value.ToTensor<float>(opened, format);
        using var output = WindowAttention.Forward(query, key, value);
        Assert.That(output.Format, Is.EqualTo(format));
    }

    [Test]
    [DeviceGrid]
    public void Gradients_can_be_left_out_one_by_one(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device)
    {
        var opened = TestDevices.Open(device);
        var operands = new AttentionCase(new WindowProblem(1, 2, 3, 3, 2, 4, 4), BorderRule.ZeroLogit);
        using var query = operands.Query.ToTensor<double>(opened, MemoryFormat.ChannelsLast);
        using var key = operands.Key.ToTensor<double>(opened, MemoryFormat.ChannelsLast);
        using var value = operands.Value.ToTensor<double>(opened, MemoryFormat.ChannelsLast);
        using var gradOutput = operands.GradOutput.ToTensor<double>(opened, MemoryFormat.ChannelsLast);
        using var output = WindowAttention.Forward(query, key, value, operands.Options, out var context);
        using (context)
        {
            foreach (var wanted in Enum.GetValues<Gradients>())
            {
                using var gradients = WindowAttention.Backward(context, gradOutput, wanted);
                Check(gradients.Query, operands.Query, SapaGpu.Gradients.Query);
                Check(gradients.Key, operands.Key, SapaGpu.Gradients.Key);
                Check(gradients.Value, operands.Value, SapaGpu.Gradients.Value);

                void Check(FeatureMap<double>? gradient, ReferenceMap input, Gradients flag)
                {
                    Assert.That(gradient is not null, Is.EqualTo(wanted.HasFlag(flag)), $"{flag} of {wanted}");
                    if (gradient is not null)
                        Compare.Backward(gradient, operands.Gradient(input), $"{device}: {flag} of {wanted}");
                }
            }
        }
    }

    [Test]
    public void A_small_workspace_gives_the_same_gradients_band_by_band([Values("cpu", "cuda")] string device)
    {
        var operands = new AttentionCase(new WindowProblem(3, 9, 6, 5, 2, 4, 8), BorderRule.ZeroLogit);
        using var whole = TestDevices.OpenAnew(device);
        using var byImage = TestDevices.OpenAnew(device, new DeviceOptions { WorkspaceBytes = 9 * 6 * 100 * 4 * 2 });
        using var byRows = TestDevices.OpenAnew(device, new DeviceOptions { WorkspaceBytes = 7 * 6 * 100 * 4 * 2 });
        var expected = Gradients(whole, operands);
        foreach (var banded in new[] { byImage, byRows })
        {
            var actual = Gradients(banded, operands);
            for (int i = 0; i < expected.Length; i++)
                Compare.Bitwise(actual[i], expected[i], $"gradient {i}, workspace {banded.Options.WorkspaceBytes}");
        }
    }

    [Test]
    [DeviceGrid]
    public void Views_of_a_larger_tensor_are_computed_in_place(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var problem = new WindowProblem(1, 3, 4, 3, 2, 4, 16);
        var operands = new AttentionCase(problem, BorderRule.ZeroLogit);
        var random = new Random(5);
        var larger = ReferenceMap.Random(random, new MapShape(3, 16, 6, 9));
        for (int c = 0; c < 16; c++)
        {
            for (int y = 0; y < 3; y++)
            {
                for (int x = 0; x < 4; x++)
                    larger[1, c, y + 2, x + 3] = operands.Value[0, c, y, x];
            }
        }
        using var query = operands.Query.ToTensor<float>(opened, format);
        using var key = operands.Key.ToTensor<float>(opened, format);
        using var all = larger.ToTensor<float>(opened, format);
        using var image = all.Images(1, 1);
        using var value = image.Crop(2, 3, 3, 4);
        Assert.That(value.IsDense, Is.False);
        using var output = WindowAttention.Forward(query, key, value, operands.Options);
        Compare.Forward(output, operands.Forward(), $"{device} {format}: value is a crop");

        using var room = FeatureMap<float>.Create(opened, new MapShape(1, 16, 10, 12), format);
        room.Clear();
        using var target = room.Crop(1, 2, 6, 8);
        WindowAttention.Forward(query, key, value, target, operands.Options);
        Compare.Forward(target, operands.Forward(), $"{device} {format}: output is a crop");
        Assert.That(
            Compare.Values(room).Count(v => v != 0), Is.LessThanOrEqualTo(6 * 8 * 16), "nothing around the crop");
    }

    // The reference takes longer for a gradient than all devices together.
    private static AttentionCase Case(WindowProblem problem, BorderRule border)
    {
        if (!Cases.TryGetValue((problem, border), out var known))
            Cases.Add((problem, border), known = new AttentionCase(problem, border));
        return known;
    }

    private static float[][] Gradients(ComputeDevice device, AttentionCase operands)
    {
        using var query = operands.Query.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var key = operands.Key.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var value = operands.Value.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var gradOutput = operands.GradOutput.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var output = WindowAttention.Forward(query, key, value, operands.Options, out var context);
        using (context)
        {
            using var gradients = WindowAttention.Backward(context, gradOutput);
            return [gradients.Query!.ToArray(), gradients.Key!.ToArray(), gradients.Value!.ToArray()];
        }
    }

    private static void Run<T>(ComputeDevice device, AttentionCase operands, ReferenceMap expected, MemoryFormat format)
        where T : unmanaged
    {
        using var query = operands.Query.ToTensor<T>(device, format);
        using var key = operands.Key.ToTensor<T>(device, format);
        using var value = operands.Value.ToTensor<T>(device, format);
        using var output = WindowAttention.Forward(query, key, value, operands.Options);
        Compare.Forward(output, expected, $"{device} {typeof(T).Name} {format} {operands.Border} {operands.Problem}");
    }

    private static void RunBackward<T>(ComputeDevice device, AttentionCase operands, MemoryFormat format)
        where T : unmanaged
    {
        using var query = operands.Query.ToTensor<T>(device, format);
        using var key = operands.Key.ToTensor<T>(device, format);
        using var value = operands.Value.ToTensor<T>(device, format);
        using var gradOutput = operands.GradOutput.ToTensor<T>(device, format);
        using var output = WindowAttention.Forward(query, key, value, operands.Options, out var context);
        using (context)
        {
            using var gradients = WindowAttention.Backward(context, gradOutput);
            string what = $"{device} {typeof(T).Name} {format} {operands.Border} {operands.Problem}";
            Compare.Backward(gradients.Query!, operands.Gradient(operands.Query), $"query, {what}");
            Compare.Backward(gradients.Key!, operands.Gradient(operands.Key), $"key, {what}");
            Compare.Backward(gradients.Value!, operands.Gradient(operands.Value), $"value, {what}");
        }
    }
}
