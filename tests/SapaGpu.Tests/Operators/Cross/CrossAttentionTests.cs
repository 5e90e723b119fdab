using CsCheck;
using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>Cross-resolution attention against the reference, on random ranges of every kind.</summary>
[TestFixture]
public sealed class CrossAttentionTests
{
    private static readonly string[] Results =
        ["output", "gradient of the query", "gradient of the key", "gradient of the value", "gradient of the bias"];

    private static readonly CrossProblem Large = new()
    {
        Rule = CrossRule.Whole,
        Map = (1, 18, 17),
        Output = (5, 7),
        Window = (1, 1),
        Channels = (5, 3),
        Heads = 2,
        AveragesHeads = false,
        HasBias = true,
        Formats = (MemoryFormat.Contiguous, MemoryFormat.ChannelsLast, MemoryFormat.Contiguous),
        Seed = 7,
    };

    private static readonly CrossProblem Moderate = Large with
    {
        Rule = CrossRule.ZeroLogit,
        Map = (2, 4, 3),
        Output = (9, 7),
        Window = (4, 3),
        Channels = (4, 4),
    };

    // Tiles of queries of a GPU: many queries see the same cells, and channels are whole eights.
    private static readonly CrossProblem Tiled = Moderate with
    {
        Rule = CrossRule.Shifted,
        Map = (1, 10, 12),
        Output = (41, 48),
        Window = (9, 9),
        Channels = (24, 40),
        HasBias = false,
    };

    [Test]
    public void The_processor_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device)
    {
        var opened = TestDevices.Open(device);
        CrossProblem.All.Sample(
            problem => Check<double>(opened, problem), TestContext.Out.WriteLine, iter: 100, threads: 1);
    }

    [Test]
    [DeviceGrid]
    public void A_graphics_driver_matches_the_reference([Values("opencl", "cuda")] string device)
    {
        var opened = TestDevices.Open(device);
        CrossProblem.All.Sample(
            problem => Check<float>(opened, problem), TestContext.Out.WriteLine, iter: 30, threads: 1);
    }

    // More cells than a processor or a thread group keeps at a time.
    [Test]
    [DeviceGrid]
    public void Windows_of_hundreds_of_cells_go_through_in_pieces(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] bool averages,
        [Values] ScoreNormalisation normalisation) =>
        Check<double>(
            TestDevices.Open(device), Large with { AveragesHeads = averages, Normalisation = normalisation });

    [Test]
    [DeviceGrid]
    public void Every_rule_works_on_every_device(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device,
        [Values] CrossRule rule,
        [Values] ScoreNormalisation normalisation) =>
        Check<double>(TestDevices.Open(device), Moderate with { Rule = rule, Normalisation = normalisation });

    [Test]
    [DeviceGrid]
    public void Sixteen_bits_match_the_reference(
        [Values("cpu", "cuda")] string device, [Values] ScoreNormalisation normalisation)
    {
        var problem = Moderate with { Rule = CrossRule.Replicate, Normalisation = normalisation };
        Check<Half>(TestDevices.Open(device), problem);
        Check<BFloat16>(TestDevices.Open(device), problem);
    }

    // Each compiles its kernels, three types of them.
    private static IEnumerable<object[]> TiledOfTurn => TestPart.Of(
        from rule in new[] { CrossRule.Shifted, CrossRule.ZeroLogit, CrossRule.Ratio }
        from window in new[] { 3, 9, 11 }
        from averages in new[] { false, true }
        from format in Enum.GetValues<MemoryFormat>()
        select new object[] { rule, window, averages, format },
        turns: 7);

    private static IEnumerable<object[]> TilesOfTurn => TestPart.Of(
        from averages in new[] { false, true }
        from flag in new[] { false, true }
        from format in Enum.GetValues<MemoryFormat>()
        select new object[] { averages, flag, format },
        turns: 5);

    // A window of one piece of cells and one of two, ranges that differ within a tile, and every border.
    [TestCaseSource(nameof(TiledOfTurn))]
    [Category(TestPart.Category)]
    public void Tiles_of_queries_match_the_reference(CrossRule rule, int window, bool averages, MemoryFormat format)
    {
        var device = TestDevices.Open("cuda");
        var problem = Tiled with
        {
            Rule = rule,
            Window = (Math.Min(window, 10), window),
            AveragesHeads = averages,
            HasBias = window == 3,
            Formats = (format, format, format),
        };
        Check<float>(device, problem);

        // Matrix units take weights of 16 bits, as the composition of a framework does.
        Check<Half>(device, new CrossCase(problem), tolerances: 2);
        Check<BFloat16>(device, new CrossCase(problem with { Channels = (8, 72) }), tolerances: 2);
    }

    [TestCaseSource(nameof(TilesOfTurn))]
    [Category(TestPart.Category)]
    public void Tiles_have_the_same_bits_in_any_company(bool averages, bool isLong, MemoryFormat format)
    {
        int window = isLong ? 12 : 9;
        var device = TestDevices.Open("cuda");
        var operands = new CrossCase(Tiled with
        {
            Map = (2, 10, 12),
            Window = (9, window),
            AveragesHeads = averages,
            Formats = (format, format, format),
        });
        AssertAlone<float>(device, operands);
        AssertAlone<Half>(device, operands);
    }

    // Sigmoids far below 0 are exponentials too small for a float; their ratios are not.
    [Test]
    [DeviceGrid]
    public void Scores_far_below_zero_keep_their_ratios(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] bool isLarge,
        [Values(ScoreNormalisation.Softmax, ScoreNormalisation.Sigmoid)] ScoreNormalisation normalisation)
    {
        var problem = (isLarge ? Large : Moderate) with { Rule = CrossRule.Masked, Window = (9, 9), Normalisation = normalisation };
        var operands = new CrossCase(problem);
        for (int i = 0; i < operands.Bias!.Values.Length; i++)
            operands.Bias.Values[i] -= 300;
        Check<float>(TestDevices.Open(device), operands);
    }

    [Test]
    public void Second_derivatives_are_those_of_the_gradients(
        [Values("cpu", "cpu-128", "cuda")] string device,
        [Values] CrossRule rule,
        [Values] bool averages,
        [Values] ScoreNormalisation normalisation)
    {
        var opened = TestDevices.Open(device);
        CheckSecond(
            opened,
            Moderate with
            {
                Map = (1, 2, 3),
                Output = (3, 5),
                Rule = rule,
                AveragesHeads = averages,
                Normalisation = normalisation,
            });
    }

    [Test]
    public void Second_derivatives_of_windows_that_go_through_in_pieces(
        [Values("cpu", "cuda")] string device, [Values] ScoreNormalisation normalisation)
    {
        var opened = TestDevices.Open(device);
        CheckSecond(
            opened,
            Large with { Output = (2, 2), Channels = (2, 1), AveragesHeads = true, Normalisation = normalisation });
    }

    [Test]
    public void Threads_workspace_and_company_do_not_matter()
    {
        var problem = Moderate with { Map = (3, 9, 11), Output = (40, 37), Rule = CrossRule.Masked };
        using var one = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = 1 });
        using var many = ComputeDevice.Open(
            DeviceKind.Cpu, 0, new DeviceOptions { Threads = 5, WorkspaceBytes = 1 << 10 });
        using var other = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = 2 });
        var operands = new CrossCase(problem);
        using var first = new CrossRun<float>(other, operands);
        using var second = new CrossRun<float>(many, operands);
        foreach (var (a, b, name) in first.Results().Zip(second.Results(), Results))
            Assert.That(b, Is.EqualTo(a), name);

        using var whole = new CrossRun<float>(one, operands);
        whole.Forward(out var context);
        using var all = CrossAttention.Backward(context, whole.GradOutput);
        using var query = whole.Query.Images(1, 1);
        using var key = whole.Key.Images(1, 1);
        using var value = whole.Value.Images(1, 1);
        using var bias = whole.Bias!.Images(1, 1);
        using var gradOutput = whole.GradOutput.Images(1, 1);
        using var output = CrossAttention.Forward(query, key, value, whole.Ranges, whole.Options, bias, out var alone);
        using (alone)
        {
            using var gradients = CrossAttention.Backward(alone, gradOutput);
            using var ofAll = all.Key!.Images(1, 1);
            Assert.That(Compare.Values(gradients.Key!), Is.EqualTo(Compare.Values(ofAll)));
        }
    }

    // 0 · NaN is no number: what a query does not see must not reach it, however many are worked at a time.
    [Test]
    [DeviceGrid]
    public void What_is_not_seen_does_not_matter(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] bool isMasked,
        [Values] ScoreNormalisation normalisation)
    {
        var problem = Moderate with { HasBias = isMasked, Normalisation = normalisation };
        CheckUnseen<float>(TestDevices.Open(device), problem, 1e-5);
    }

    [TestCaseSource(nameof(TilesOfTurn))]
    [Category(TestPart.Category)]
    public void What_is_not_seen_does_not_matter_to_matrix_units(bool averages, bool isMasked, MemoryFormat format)
    {
        var problem = Moderate with
        {
            HasBias = isMasked,
            AveragesHeads = averages,
            Channels = (8, 40),
            Formats = (format, format, format),
        };
        CheckUnseen<Half>(TestDevices.Open("cuda"), problem, 4e-3);
        CheckUnseen<BFloat16>(TestDevices.Open("cuda"), problem, 3e-2);
    }

    private static void CheckUnseen<T>(ComputeDevice opened, CrossProblem given, double tolerance)
        where T : unmanaged
    {
        var problem = given with
        {
            Map = (1, 5, 6),
            Output = (10, 12),
            Rule = CrossRule.Masked,
            Window = (3, 3),
        };
        bool isMasked = problem.HasBias;
        var operands = new CrossCase(problem);
        const int Row = 2, Column = 3;
        if (isMasked)
            operands.Bias![0, 0, Row, Column] = double.NegativeInfinity;
        using var plain = new CrossRun<T>(opened, operands);
        var expected = plain.Results();
        for (int channel = 0; channel < operands.Key.Shape.Channels; channel++)
            operands.Key[0, channel, Row, Column] = double.NaN;
        for (int channel = 0; channel < operands.Value.Shape.Channels; channel++)
            operands.Value[0, channel, Row, Column] = double.PositiveInfinity;
        using var spoilt = new CrossRun<T>(opened, operands);
        var actual = spoilt.Results();
        bool Sees(int y, int x) => !isMasked && Math.Abs(y / 2 - Row) <= 1 && Math.Abs(x / 2 - Column) <= 1;
        CheckOthers(actual[0], expected[0], operands.GradOutput.Shape, Sees, tolerance, "output");
        CheckOthers(actual[1], expected[1], operands.Query.Shape, Sees, tolerance, "query");

        // Cells share queries with the spoilt one two cells away.
        bool Shares(int y, int x) => !isMasked && Math.Abs(y - Row) <= 2 && Math.Abs(x - Column) <= 2;
        CheckOthers(actual[2], expected[2], operands.Key.Shape, Shares, tolerance, "key");
        CheckOthers(actual[3], expected[3], operands.Value.Shape, Shares, tolerance, "value");
    }

    [Test]
    public void Impossible_calls_are_refused()
    {
        var device = TestDevices.Open("cpu");
        using var run = new CrossRun<float>(device, new CrossCase(Moderate));
        var other = WindowRanges.Whole(4, 3, 9, 8);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => CrossAttention.Forward(run.Query, run.Key, run.Value, other),
                Throws.ArgumentException.With.Message.Contains("4x3 to 9x8"));
            Assert.That(
                () => CrossAttention.Forward(run.Query, run.Key, run.Value, run.Ranges, new() { Heads = 3 }),
                Throws.ArgumentException.With.Message.Contains("3 heads"));
            Assert.That(
                () => CrossAttention.Forward(run.Query, run.Key, run.Value, run.Ranges, new() { ScoreScale = double.NaN }),
                Throws.ArgumentException.With.Message.Contains("score scale"));
            Assert.That(
                () => new CrossAttentionOptions { Normalisation = (ScoreNormalisation)3 },
                Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => CrossAttention.Forward(run.Query, run.Value, run.Key, run.Ranges, run.Options, run.Query),
                Throws.ArgumentException);
            Assert.That(
                () => CrossAttention.Forward(run.Query, run.Key, run.Value, run.Query, run.Ranges, run.Options),
                Throws.ArgumentException);
            Assert.That(() => AxisRanges.Of(4, (0, 2), (1, 1)), Throws.ArgumentException.With.Message.Contains("output 1"));
            Assert.That(() => AxisRanges.Of(4, (0, 5)), Throws.ArgumentException);
            Assert.That(() => AxisRanges.Ratio(4, 4, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => AxisRanges.Window(4, 4, 0, BorderRule.Masked), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => new WindowRanges(
                    AxisRanges.Window(4, 4, 3, BorderRule.ZeroLogit), AxisRanges.Window(4, 4, 3, BorderRule.Replicate)),
                Throws.ArgumentException.With.Message.Contains("Replicate"));
        }
    }

    private static void Check<T>(ComputeDevice device, CrossProblem problem)
        where T : unmanaged => Check<T>(device, new CrossCase(problem));

    private static void Check<T>(ComputeDevice device, CrossCase operands, double tolerances = 1)
        where T : unmanaged
    {
        var problem = operands.Problem;
        using var run = new CrossRun<T>(device, operands);
        var actual = run.Results();
        string what = $"on {device.Id}, {problem}";
        string? found = Compare.Difference<T>(
            actual[0], operands.Forward().ToArray(), operands.GradOutput.Shape, backward: false, tolerances);
        if (found is not null)
            throw new InvalidOperationException($"{Results[0]} {what}: {found}");

        // The gradients by their inner products with random directions: all elements at once.
        var random = new Random(problem.Seed);
        for (int i = 0; i < operands.Operands.Count; i++)
        {
            double[] gradient = actual[i + 1];
            double[] direction = [.. gradient.Select(_ => random.NextDouble() * 2 - 1)];
            double expected = operands.Derivative(operands.Operands[i], direction);
            double sum = gradient.Zip(direction, (value, step) => value * step).Sum();
            double bound = tolerances * Tolerances.Relative<T>(backward: true) * Math.Max(1, gradient.Sum(Math.Abs));
            if (!(Math.Abs(sum - expected) <= bound))
                throw new InvalidOperationException($"{Results[i + 1]} {what}: {sum}, expected {expected}");
        }
    }

    private static void AssertAlone<T>(ComputeDevice device, CrossCase operands)
        where T : unmanaged
    {
        using var run = new CrossRun<T>(device, operands);
        var output = run.Forward(out var context);
        using var gradients = CrossAttention.Backward(context, run.GradOutput);
        using var again = CrossAttention.Forward(run.Query, run.Key, run.Value, run.Ranges, run.Options);
        Assert.That(Compare.Values(again), Is.EqualTo(Compare.Values(output)), "the same twice");
        using var query = run.Query.Images(1, 1);
        using var key = run.Key.Images(1, 1);
        using var value = run.Value.Images(1, 1);
        using var gradOutput = run.GradOutput.Images(1, 1);
        using var alone = CrossAttention.Forward(query, key, value, run.Ranges, run.Options, null, out var own);
        using (own)
        {
            using var ownGradients = CrossAttention.Backward(own, gradOutput);
            using var ofAll = output.Images(1, 1);
            using var gradientOfAll = gradients.Query!.Images(1, 1);
            Assert.That(Compare.Values(alone), Is.EqualTo(Compare.Values(ofAll)), "output");
            Assert.That(Compare.Values(ownGradients.Query!), Is.EqualTo(Compare.Values(gradientOfAll)), "query");
        }
    }

    private static void CheckOthers(
        double[] actual, double[] expected, MapShape shape, Func<int, int, bool> isSpoilt, double tolerance, string what)
    {
        for (int i = 0; i < actual.Length; i++)
        {
            int x = i % shape.Width;
            int y = i / shape.Width % shape.Height;
            if (!isSpoilt(y, x))
                Assert.That(actual[i], Is.EqualTo(expected[i]).Within(tolerance), $"{what} at {y}, {x}");
        }
    }

    // Central differences of S = Σ ⟨gradient, direction⟩.
    private static void CheckSecond(ComputeDevice device, CrossProblem problem)
    {
        var operands = new CrossCase(problem);
        using var run = new CrossRun<double>(device, operands);
        var random = new Random(3);
        using var queryDirection = ReferenceMap.Random(random, run.Query.Shape).ToTensor<double>(device, run.Query.Format);
        using var keyDirection = ReferenceMap.Random(random, run.Key.Shape).ToTensor<double>(device, run.Key.Format);
        using var valueDirection = ReferenceMap.Random(random, run.Value.Shape).ToTensor<double>(device, run.Value.Format);
        using var biasDirection = run.Bias is null
            ? null
            : ReferenceMap.Random(random, run.Bias.Shape).ToTensor<double>(device, run.Bias.Format);
        run.Forward(out var context);
        using var second = CrossAttention.DoubleBackward(
            context, run.GradOutput, queryDirection, keyDirection, valueDirection, biasDirection);
        Differentiate(run.GradOutput, second.GradOutput!, "gradient of the output");
        Differentiate(run.Query, second.Query!, "query");
        Differentiate(run.Key, second.Key!, "key");
        Differentiate(run.Value, second.Value!, "value");
        if (run.Bias is not null)
            Differentiate(run.Bias, second.KeyBias!, "bias");

        void Differentiate(FeatureMap<double> operand, FeatureMap<double> gradient, string what)
        {
            const double Step = 1e-5;
            var values = operand.ToArray();
            var analytic = gradient.ToArray(operand.Format);
            for (int i = 0; i < values.Length; i += Math.Max(1, values.Length / 12))
            {
                double kept = values[i];
                double above = At(kept + Step);
                double below = At(kept - Step);
                At(kept);
                Assert.That(analytic[i], Is.EqualTo((above - below) / (2 * Step)).Within(1e-7), $"{what}, element {i}");

                double At(double value)
                {
                    values[i] = value;
                    operand.CopyFrom(values);
                    return Sum();
                }
            }
        }

        double Sum()
        {
            using var output = CrossAttention.Forward(
                run.Query, run.Key, run.Value, run.Ranges, run.Options, run.Bias, out var own);
            using (own)
            {
                using var gradients = CrossAttention.Backward(own, run.GradOutput);
                return Inner(gradients.Query!, queryDirection) + Inner(gradients.Key!, keyDirection)
                    + Inner(gradients.Value!, valueDirection)
                    + (gradients.KeyBias is null ? 0 : Inner(gradients.KeyBias, biasDirection!));
            }
        }
    }

    private static double Inner(FeatureMap<double> a, FeatureMap<double> b) =>
        Compare.Values(a).Zip(Compare.Values(b), (x, y) => x * y).Sum();
}
