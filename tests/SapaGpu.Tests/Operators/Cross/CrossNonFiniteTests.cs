using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Scores and gradients of cross-resolution attention that are infinite or no numbers: outputs are those of the formula, and nothing
/// reaches what does not see it.
/// </summary>
[TestFixture]
public sealed class CrossNonFiniteTests
{
    private const int Row = 2;
    private const int Column = 3;

    private static CrossProblem Problem => new()
    {
        Rule = CrossRule.Masked,
        Map = (1, 5, 6),
        Output = (10, 12),
        Window = (3, 3),
        Channels = (4, 4),
        Heads = 2,
        AveragesHeads = false,
        HasBias = true,
        Formats = (MemoryFormat.ChannelsLast, MemoryFormat.ChannelsLast, MemoryFormat.ChannelsLast),
        Seed = 5,
    };

    // A query that sees a score of +∞ or none has no number, but for sigmoids, whose largest is 1.
    [Test]
    [DeviceGrid]
    public void Infinite_scores_are_weighed_by_the_formula(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] ScoreNormalisation normalisation,
        [Values(CrossRule.Masked, CrossRule.ZeroLogit, CrossRule.Whole)] CrossRule rule,
        [Values] bool averages,
        [Values(double.NegativeInfinity, double.PositiveInfinity, double.NaN)] double score)
    {
        var problem = Problem with { Rule = rule, Normalisation = normalisation, AveragesHeads = averages };
        var operands = new CrossCase(problem);
        Positive(operands.Query);
        Positive(operands.Key);

        // Half of the map has this score for one head; of the other half nothing is seen in the rows at the bottom.
        for (int row = 0; row < 5; row++)
        {
            for (int column = 0; column < 6; column++)
            {
                if (column < 3)
                    operands.Key[0, 1, row, column] = score;
                operands.Bias![0, 0, row, column] = row > 2 && column > 2 ? double.NegativeInfinity : 0.25;
            }
        }
        using var run = new CrossRun<float>(TestDevices.Open(device), operands);
        var actual = Compare.Values(run.Forward(out _));
        var expected = operands.Forward().ToArray();
        for (int i = 0; i < expected.Length; i++)
            Assert.That(actual[i], Is.EqualTo(expected[i]).Within(1e-4), $"element {i}");
    }

    // As those of cells that are not seen, they weigh nothing.
    [Test]
    [DeviceGrid]
    public void Nothing_but_scores_of_minus_infinity_is_0(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values(ScoreNormalisation.Softmax, ScoreNormalisation.Sigmoid)] ScoreNormalisation normalisation,
        [Values] bool averages)
    {
        var operands = new CrossCase(Problem with { Normalisation = normalisation, AveragesHeads = averages });
        Positive(operands.Query);
        Array.Fill(operands.Key.Values, double.NegativeInfinity);
        using var run = new CrossRun<float>(TestDevices.Open(device), operands);
        Assert.That(Compare.Values(run.Forward(out _)), Is.All.Zero);
    }

    // Products of finite operands that leave the range of the type.
    [Test]
    [DeviceGrid]
    public void What_overflows_reaches_nothing_that_does_not_see_it(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] ScoreNormalisation normalisation,
        [Values] bool inScores)
    {
        var operands = new CrossCase(Problem with { HasBias = false, Normalisation = normalisation });
        var opened = TestDevices.Open(device);
        using var plain = new CrossRun<float>(opened, operands);
        var expected = plain.Results();
        const int Y = 5, X = 7;
        for (int channel = 0; channel < 4; channel++)
        {
            var (ofQuery, ofCell) = inScores ? (operands.Query, operands.Key) : (operands.GradOutput, operands.Value);
            ofQuery[0, channel, Y, X] = 1e30;
            ofCell[0, channel, Row, Column] = 1e30;
        }
        using var spoilt = new CrossRun<float>(opened, operands);
        var actual = spoilt.Results();

        // Cells and queries that see the spoilt ones are not looked at, nor cells that share a query with the cell.
        bool IsQueryNear(int y, int x) => (y == Y && x == X) || Math.Abs(y / 2 - Row) <= 1 && Math.Abs(x / 2 - Column) <= 1;
        bool IsCellNear(int y, int x) => Math.Abs(y - Row) <= 2 && Math.Abs(x - Column) <= 2;
        Others(actual[0], expected[0], operands.Query.Shape, IsQueryNear, "output");
        Others(actual[1], expected[1], operands.Query.Shape, IsQueryNear, "query");
        Others(actual[2], expected[2], operands.Key.Shape, IsCellNear, "key");
        Others(actual[3], expected[3], operands.Value.Shape, IsCellNear, "value");
    }

    [Test]
    [DeviceGrid]
    public void A_cell_that_is_not_seen_has_no_gradient_beside_what_is_not_finite(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] ScoreNormalisation normalisation,
        [Values] bool averages)
    {
        var operands = new CrossCase(Problem with { Normalisation = normalisation, AveragesHeads = averages, Rule = CrossRule.Whole });
        operands.Bias![0, 0, Row, Column] = double.NegativeInfinity;
        operands.Query[0, 0, 4, 4] = double.NaN;
        operands.Query[0, 0, 5, 4] = double.PositiveInfinity;
        operands.GradOutput[0, 0, 6, 4] = double.PositiveInfinity;
        using var run = new CrossRun<float>(TestDevices.Open(device), operands);
        run.Forward(out var context);
        using var first = CrossAttention.Backward(context, run.GradOutput);
        using var second = CrossAttention.DoubleBackward(
            context, run.GradOutput, run.Query, run.Key, run.Value, null);
        AssertCell(first.Key!, "key");
        AssertCell(first.Value!, "value");
        AssertCell(first.KeyBias!, "bias");
        AssertCell(second.Key!, "key, twice");
        AssertCell(second.Value!, "value, twice");
        AssertCell(second.KeyBias!, "bias, twice");

        static void AssertCell(FeatureMap<float> map, string what)
        {
            using var cell = map.Crop(Row, Column, 1, 1);
            Assert.That(Compare.Values(cell), Is.All.Zero, what);
        }
    }

    [Test]
    [DeviceGrid]
    public void A_query_that_sees_nothing_contributes_nothing_whatever_its_gradient(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] ScoreNormalisation normalisation,
        [Values(double.PositiveInfinity, double.NaN)] double gradient)
    {
        var operands = new CrossCase(Problem with { Normalisation = normalisation });
        for (int row = 0; row < 3; row++)
        {
            for (int column = 0; column < 6; column++)
                operands.Bias![0, 0, row, column] = double.NegativeInfinity;
        }
        var opened = TestDevices.Open(device);
        using var plain = new CrossRun<float>(opened, operands);
        var expected = plain.Results();

        // The rows of the windows of these queries are 0 to 2 at most.
        for (int channel = 0; channel < operands.Value.Shape.Channels; channel++)
        {
            operands.GradOutput[0, channel, 0, 0] = gradient;
            operands.GradOutput[0, channel, 3, 7] = gradient;
        }
        using var run = new CrossRun<float>(opened, operands);
        var actual = run.Results();
        for (int result = 0; result < expected.Count; result++)
            Assert.That(actual[result], Is.EqualTo(expected[result]).Within(1e-6), $"result {result}");
        Assert.That(actual[1][0], Is.Zero);
    }

    private static void Positive(ReferenceMap map)
    {
        for (int i = 0; i < map.Values.Length; i++)
            map.Values[i] = Math.Abs(map.Values[i].Value) + 0.125;
    }

    private static void Others(
        double[] actual, double[] expected, MapShape shape, Func<int, int, bool> isSpoilt, string what)
    {
        for (int i = 0; i < actual.Length; i++)
        {
            int x = i % shape.Width;
            int y = i / shape.Width % shape.Height;
            if (!isSpoilt(y, x))
                Assert.That(actual[i], Is.EqualTo(expected[i]).Within(1e-5), $"{what} at {y}, {x}");
        }
    }
}
