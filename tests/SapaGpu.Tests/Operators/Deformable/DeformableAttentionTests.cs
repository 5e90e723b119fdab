using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>Deformable attention and its halves, forward and backward, on every device.</summary>
[TestFixture]
public sealed class DeformableAttentionTests
{
    private static readonly Dictionary<(DeformableProblem Problem, Type Type), DeformableOperands> Known = [];

    private static readonly DeformableOperands Large = new(DeformableProblem.Large);

    // Whole coordinates inside and outside a map of 3x4 cells, exactly -1, H and W, and just inside of them.
    private static readonly DeformableOperands Whole = new(
        new DeformableProblem(1, 3, 4, 6, 8, 2, 5, 2, 2),
        random => random.Next(8) == 0 ? random.Next(-5, 6) + (random.Next(2) * 2 - 1) / 1024.0 : random.Next(-5, 6));

    [Test]
    [DeviceGrid]
    public void Every_function_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] MemoryFormat format,
        [ValueSource(typeof(DeformableProblem), nameof(DeformableProblem.All))] DeformableProblem problem)
    {
        var opened = TestDevices.Open(device);
        Check<double>(opened, format, Operands<float>(problem));
        Check<float>(opened, format, Operands<float>(problem));
    }

    [Test]
    [DeviceGrid]
    public void Types_of_16_bits_come_near_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        foreach (var problem in DeformableProblem.All.Take(2))
        {
            Check<Half>(opened, format, Operands<Half>(problem));
            Check<BFloat16>(opened, format, Operands<BFloat16>(problem));
        }
    }

    [Test]
    [DeviceGrid]
    public void At_whole_coordinates_gradients_are_those_towards_larger_ones(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        Check<double>(opened, format, Whole);
        Check<float>(opened, format, Whole);
    }

    // Few cells, which hundreds or thousands of samples touch: their lists are sorted in other ways.
    [TestCase(16)]
    [TestCase(32)]
    public void Cells_that_many_samples_touch_collect_them_all(int ratio)
    {
        var operands = new DeformableOperands(new DeformableProblem(1, 1, 2, ratio, ratio, 1, 3, 1, 2));
        foreach (string device in new[] { "cpu", "cuda" })
            Check<float>(TestDevices.Open(device), MemoryFormat.ChannelsLast, operands);
    }

    [Test]
    [DeviceGrid]
    public void At_the_border_the_convention_holds_to_the_last_bit(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        // One row of two cells with values 4 and 8, one query, points along the row.
        (double Across, double Score, double Gradient)[] expected =
        [
            (-2, 0, 0), (-1, 0, 0), (-0.75, 1, 4), (-0.5, 2, 4), (0, 4, 4), (0.25, 5, 4), (1, 8, -8), (1.5, 4, -8),
            (2, 0, 0), (3, 0, 0), (1e30, 0, 0), (-1e30, 0, 0), (double.PositiveInfinity, 0, 0), (double.NaN, 0, 0),
        ];
        int count = expected.Length;
        var opened = TestDevices.Open(device);
        var options = new DeformableAttentionOptions { Groups = 1, Points = count };
        using var query = FeatureMap<float>.From(opened, new MapShape(1, 1, 1, 1), [1]);
        using var key = FeatureMap<float>.From(opened, new MapShape(1, 1, 1, 2), [4, 8]);
        using var offsets = FeatureMap<float>.From(
            opened,
            new MapShape(1, 2 * count, 1, 1),
            expected.SelectMany(point => new[] { (float)point.Across, 0f }).ToArray());
        using var ones = FeatureMap<float>.From(
            opened, new MapShape(1, count, 1, 1), Enumerable.Repeat(1f, count).ToArray());
        using var scores = DeformableSimilarity.Forward(query, key, offsets, options);
        Assert.That(scores.ToArray(), Is.EqualTo(expected.Select(point => (float)point.Score)), device);
        var (gradQuery, gradKey, gradOffsets) = DeformableSimilarity.Backward(query, key, offsets, ones, options);
        using (gradQuery)
        using (gradKey)
        using (gradOffsets)
        {
            var across = gradOffsets.ToArray().Where((_, i) => i % 2 == 0);
            Assert.That(across, Is.EqualTo(expected.Select(point => (float)point.Gradient)), device);
            Assert.That(gradQuery.ToArray(), Is.EqualTo(new[] { 24f }), device);
            Assert.That(gradKey.ToArray(), Is.EqualTo(new[] { 2.5f, 1.75f }), device);
        }
    }

    [Test]
    [DeviceGrid]
    public void Far_outside_nothing_is_found(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var problem = new DeformableProblem(1, 2, 3, 4, 6, 2, 3, 2, 2);
        double[] places = [1e9, -1e9, 3e38, -3e38, 100, -7];
        var operands = new DeformableOperands(problem, random => places[random.Next(places.Length)]);
        using var tensors = new DeformableTensors<float>(operands, TestDevices.Open(device), MemoryFormat.Contiguous);
        using var output = tensors.Forward();
        Assert.That(output.ToArray(), Is.All.EqualTo(0f));
        using var gradients = tensors.Backward();
        foreach (var gradient in new[] { gradients.Query, gradients.Key, gradients.Value, gradients.Offsets })
            Assert.That(gradient.ToArray(), Is.All.EqualTo(0f), device);
    }

    [Test]
    [DeviceGrid]
    public void Without_offsets_the_output_is_that_of_the_nearest_cell(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var problem = new DeformableProblem(1, 3, 4, 7, 8, 2, 3, 2, 2);
        var operands = new DeformableOperands(problem, _ => 0);
        using var tensors = new DeformableTensors<double>(operands, TestDevices.Open(device), MemoryFormat.Contiguous);
        using var output = tensors.Forward();
        Near.Forward(output, ReferenceInterpolation.Nearest(operands.Value, 7, 8), device);
    }

    [Test]
    [DeviceGrid]
    public void Formats_may_differ([ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var opened = TestDevices.Open(device);
        var operands = Operands<float>(DeformableProblem.All.First());
        using var some = new DeformableTensors<float>(operands, opened, MemoryFormat.Contiguous);
        using var others = new DeformableTensors<float>(operands, opened, MemoryFormat.ChannelsLast);
        using var output = DeformableAttention.Forward(
            some.Query, others.Key, some.Value, others.Offsets, some.Options);
        Near.Forward(output, operands.Attention(), device);
        using var gradients = DeformableAttention.Backward(
            others.Query, some.Key, others.Value, some.Offsets, some.GradOutput, some.Options);
        CheckAll(gradients, operands, device);
        Assert.That(
            new[] { output, gradients.Query, gradients.Key, gradients.Value, gradients.Offsets }.Select(t => t.Format),
            Is.EqualTo(new[]
            {
                MemoryFormat.Contiguous, MemoryFormat.ChannelsLast, MemoryFormat.Contiguous, MemoryFormat.ChannelsLast,
                MemoryFormat.Contiguous,
            }));
    }

    [Test]
    [DeviceGrid]
    public void Many_queries_match_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        using var tensors = new DeformableTensors<double>(Large, TestDevices.Open(device), MemoryFormat.Contiguous);
        using var scores = tensors.Scores();
        Near.Forward(scores, Large.Scores(), device);
        var (gradQuery, gradKey, gradOffsets) = tensors.ScoresBackward();
        using (gradQuery)
        using (gradKey)
        using (gradOffsets)
            Near.Backward(gradKey, Large.Gradient(Large.Scores, Large.Key), $"key, {device}");
        var (gradWeights, gradValue, gradMoves) = tensors.ReassembleBackward();
        using (gradWeights)
        using (gradValue)
        using (gradMoves)
            Near.Backward(gradValue, Large.Gradient(Large.Reassemble, Large.Value), $"value, {device}");
    }

    [Test]
    [DeviceGrid]
    public void Many_queries_give_the_same_gradients_on_every_device(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var problem = DeformableProblem.Large with { Batch = 2, Points = 3 };
        var expected = Run<double>(TestDevices.Open("cpu"), problem);
        var actual = Run<double>(TestDevices.Open(device), problem);
        for (int i = 0; i < expected.Length; i++)
            Near.Check<double>(actual[i], expected[i], backward: true, $"{device} gradient {i}");
    }

    [Test]
    public void Many_channels_match_the_reference_at_every_width([Values] MemoryFormat format)
    {
        foreach (int bits in new[] { 128, 256, 512 })
        {
            using var device = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { VectorBits = bits });
            Check<double>(device, format, Operands<float>(DeformableProblem.Wide));
            Check<float>(device, format, Operands<float>(DeformableProblem.Wide));
        }
    }

    [Test]
    [DeviceGrid]
    public void Repeated_runs_give_the_same_bits(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var expected = Run<float>(TestDevices.Open(device), DeformableProblem.Large);
        for (int run = 0; run < 5; run++)
            Same(Run<float>(TestDevices.Open(device), DeformableProblem.Large), expected, $"{device} run {run}");
    }

    [Test]
    public void The_number_of_threads_does_not_matter()
    {
        var problem = DeformableProblem.Large with { Batch = 2, EmbeddingChannels = 5, ValueChannels = 3 };
        using var one = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = 1 });
        var expected = Run<float>(one, problem);
        foreach (int threads in new[] { 2, 5 })
        {
            using var many = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = threads });
            Same(Run<float>(many, problem), expected, $"{threads} threads");
        }
    }

    [Test]
    public void Shapes_that_do_not_belong_together_are_refused()
    {
        var operands = Operands<float>(DeformableProblem.All.First());
        using var t = new DeformableTensors<float>(operands, TestDevices.Open("cpu"), MemoryFormat.Contiguous);
        using var thin = t.Offsets.Channels(0, 10);
        using var low = t.Query.Crop(0, 0, 3, 6);
        using var few = t.Query.Channels(0, 2);
        using var narrow = t.Value.Crop(0, 0, 2, 2);
        using var odd = t.Key.Channels(0, 3);
        using var weights = t.Weights.Channels(0, 3);
        Assert.That(
            () => DeformableSimilarity.Forward(t.Query, t.Key, thin, t.Options),
            Throws.ArgumentException.With.Message.Contains("12").And.Message.Contains("'offsets'"));
        Assert.That(() => DeformableReassembly.Forward(t.Weights, t.Value, thin, t.Options), Throws.ArgumentException);
        Assert.That(() => DeformableSimilarity.Forward(low, t.Key, t.Offsets, t.Options), Throws.ArgumentException);
        Assert.That(() => DeformableSimilarity.Forward(few, t.Key, t.Offsets, t.Options), Throws.ArgumentException);
        Assert.That(
            () => DeformableSimilarity.Forward(t.Query, odd, t.Offsets, t.Options),
            Throws.ArgumentException.With.Message.Contains("2 groups"));
        Assert.That(
            () => DeformableAttention.Forward(t.Query, t.Key, narrow, t.Offsets, t.Options),
            Throws.ArgumentException.With.Message.Contains("'value'"));
        Assert.That(
            () => DeformableReassembly.Forward(weights, t.Value, t.Offsets, t.Options),
            Throws.ArgumentException.With.Message.Contains("'weights'"));
        Assert.That(
            () => DeformableSimilarity.Backward(t.Query, t.Key, t.Offsets, weights, t.Options),
            Throws.ArgumentException.With.Message.Contains("'gradScores'"));
        Assert.That(
            () => DeformableReassembly.Backward(t.Weights, t.Value, t.Offsets, few, t.Options),
            Throws.ArgumentException.With.Message.Contains("'gradOutput'"));
        Assert.That(
            () => DeformableAttention.Backward(t.Query, t.Key, t.Value, t.Offsets, few, t.Options),
            Throws.ArgumentException.With.Message.Contains("'gradOutput'"));
        foreach (var (groups, points) in new[] { (0, 3), (2, 0), (-1, 3), (2, -3), (1, 3), (3, 2), (int.MaxValue, 3) })
        {
            var options = new DeformableAttentionOptions { Groups = groups, Points = points };
            Assert.That(
                () =>
                    DeformableAttention.Forward(t.Query, t.Key, t.Value, t.Offsets, options), Throws.ArgumentException);
        }
    }

    [Test]
    public void Missing_foreign_and_disposed_operands_are_refused()
    {
        var operands = Operands<float>(DeformableProblem.All.First());
        using var t = new DeformableTensors<float>(operands, TestDevices.Open("cpu"), MemoryFormat.Contiguous);
        using var foreign = operands.Key.ToTensor<float>(TestDevices.Open("emulator"), MemoryFormat.Contiguous);
        Assert.That(
            () => DeformableSimilarity.Forward(t.Query, foreign, t.Offsets, t.Options),
            Throws.TypeOf<DeviceMismatchException>());
        Assert.That(
            () => DeformableSimilarity.Forward(null!, t.Key, t.Offsets, t.Options), Throws.ArgumentNullException);
        Assert.That(
            () => DeformableSimilarity.Forward(t.Query, null!, t.Offsets, t.Options), Throws.ArgumentNullException);
        Assert.That(() => DeformableSimilarity.Forward(t.Query, t.Key, null!, t.Options), Throws.ArgumentNullException);
        Assert.That(() => DeformableSimilarity.Forward(t.Query, t.Key, t.Offsets, null!), Throws.ArgumentNullException);
        Assert.That(
            () => DeformableReassembly.Forward(null!, t.Value, t.Offsets, t.Options), Throws.ArgumentNullException);
        Assert.That(
            () => DeformableReassembly.Backward(null!, t.Value, t.Offsets, t.GradOutput, t.Options),
            Throws.ArgumentNullException);
        Assert.That(
            () =>
                DeformableAttention.Forward(t.Query, t.Key, null!, t.Offsets, t.Options), Throws.ArgumentNullException);
        Assert.That(
            () => DeformableAttention.Backward(t.Query, t.Key, t.Value, t.Offsets, null!, t.Options),
            Throws.ArgumentNullException);
        t.Offsets.Dispose();
        Assert.That(t.Scores, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(t.Reassemble, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(t.Forward, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => t.Backward(), Throws.TypeOf<ObjectDisposedException>());
    }

    private static DeformableOperands Operands<T>(DeformableProblem problem)
        where T : unmanaged
    {
        lock (Known)
        {
            if (!Known.TryGetValue((problem, typeof(T)), out var known))
            {
                known = new DeformableOperands(problem).Rounded<T>();
                Known.Add((problem, typeof(T)), known);
            }
            return known;
        }
    }

    private static void Check<T>(ComputeDevice device, MemoryFormat format, DeformableOperands operands)
        where T : unmanaged
    {
        string what = $"{device} {format} {operands.Problem}";
        using var tensors = new DeformableTensors<T>(operands, device, format);
        using var scores = tensors.Scores();
        Near.Forward(scores, operands.Scores(), $"scores, {what}");
        using var output = tensors.Reassemble();
        Near.Forward(output, operands.Reassemble(), $"reassembly, {what}");
        using var fused = tensors.Forward();
        Near.Forward(fused, operands.Attention(), $"attention, {what}");

        var (gradQuery, gradKey, gradOffsets) = tensors.ScoresBackward();
        using (gradQuery)
        using (gradKey)
        using (gradOffsets)
        {
            Near.Backward(gradQuery, operands.Gradient(operands.Scores, operands.Query), $"scores to query, {what}");
            Near.Backward(gradKey, operands.Gradient(operands.Scores, operands.Key), $"scores to key, {what}");
            Near.Backward(
                gradOffsets, operands.Gradient(operands.Scores, operands.Offsets), $"scores to offsets, {what}");
        }
        var (gradWeights, gradValue, gradMoves) = tensors.ReassembleBackward();
        using (gradWeights)
        using (gradValue)
        using (gradMoves)
        {
            Near.Backward(gradWeights, operands.Gradient(operands.Reassemble, operands.Weights), $"to weights, {what}");
            Near.Backward(gradValue, operands.Gradient(operands.Reassemble, operands.Value), $"to value, {what}");
            Near.Backward(gradMoves, operands.Gradient(operands.Reassemble, operands.Offsets), $"to offsets, {what}");
        }
        using var gradients = tensors.Backward();
        CheckAll(gradients, operands, what);
    }

    private static void CheckAll<T>(DeformableAttentionGradients<T> gradients, DeformableOperands operands, string what)
        where T : unmanaged
    {
        foreach (var (name, actual, input) in new[]
                 {
                     ("query", gradients.Query, operands.Query), ("key", gradients.Key, operands.Key),
                     ("value", gradients.Value, operands.Value), ("offsets", gradients.Offsets, operands.Offsets),
                 })
        {
            Near.Backward(actual, operands.Gradient(operands.Attention, input), $"attention to {name}, {what}");
        }
    }

    // The gradients of all functions.
    private static double[][] Run<T>(ComputeDevice device, DeformableProblem problem)
        where T : unmanaged
    {
        using var tensors = new DeformableTensors<T>(
            new DeformableOperands(problem), device, MemoryFormat.ChannelsLast);
        var (gradQuery, gradKey, scoreOffsets) = tensors.ScoresBackward();
        var (gradWeights, gradValue, valueOffsets) = tensors.ReassembleBackward();
        using var gradients = tensors.Backward();
        FeatureMap<T>[] results =
        [
            gradQuery, gradKey, scoreOffsets, gradWeights, gradValue, valueOffsets, gradients.Query, gradients.Key,
            gradients.Value, gradients.Offsets,
        ];
        var values = Array.ConvertAll(results, Compare.Values);
        foreach (var result in results)
            result.Dispose();
        return values;
    }

    private static void Same(double[][] actual, double[][] expected, string what)
    {
        for (int i = 0; i < expected.Length; i++)
            Compare.Bitwise(actual[i], expected[i], $"{what}, gradient {i}");
    }
}
