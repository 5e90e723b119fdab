using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// An infinite value reaches the results of its own window and no others, however many products a device computes at
/// once: 0 · ∞ is no number.
/// </summary>
[TestFixture(typeof(float))]
[TestFixture(typeof(Half))]
[TestFixture(typeof(BFloat16))]
public sealed class NonFiniteValueTests<T>
    where T : unmanaged
{
    private const int Row = 3;
    private const int Column = 5;
    private const int Channel = 9;

    private static readonly WindowProblem Problem = new(1, 7, 10, 3, 2, 8, 16);

    [Test]
    [DeviceGrid]
    public void Of_the_value_reaches_the_queries_that_see_it(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var spoilt = new AttentionCase(Problem, BorderRule.ZeroLogit);
        spoilt.Value[0, Channel, Row, Column] = double.PositiveInfinity;
        double[] expected = AttentionRun.Of<T>(opened, new AttentionCase(Problem, BorderRule.ZeroLogit), format)[0];
        double[] actual = AttentionRun.Of<T>(opened, spoilt, format)[0];
        CheckOthers(actual, expected, Problem.Shape.OutputShape, SeesCell, $"{device} {format}: output");
    }

    [Test]
    [DeviceGrid]
    public void Of_the_gradient_reaches_the_cells_that_are_seen(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var spoilt = new AttentionCase(Problem, BorderRule.ZeroLogit);
        spoilt.GradOutput[0, Channel, 2 * Row + 1, 2 * Column] = double.PositiveInfinity;
        double[][] expected = AttentionRun.Of<T>(opened, new AttentionCase(Problem, BorderRule.ZeroLogit), format);
        double[][] actual = AttentionRun.Of<T>(opened, spoilt, format);
        using (Assert.EnterMultipleScope())
        {
            CheckOthers(
                actual[1],
                expected[1],
                Problem.Shape.QueryShape,
                (_, row, column) => row == 2 * Row + 1 && column == 2 * Column,
                $"{device} {format}: query");
            CheckOthers(
                actual[2],
                expected[2],
                Problem.Shape.KeyShape,
                (_, row, column) => IsNear(row, column),
                $"{device} {format}: key");
            CheckOthers(
                actual[3],
                expected[3],
                Problem.Shape.ValueShape,
                (channel, row, column) => channel == Channel && IsNear(row, column),
                $"{device} {format}: value");
        }
    }

    private static bool SeesCell(int channel, int row, int column) =>
        channel == Channel && IsNear(row / Problem.Scale, column / Problem.Scale);

    private static bool IsNear(int row, int column) =>
        Math.Abs(row - Row) <= Problem.Window / 2 && Math.Abs(column - Column) <= Problem.Window / 2;

    private static void CheckOthers(
        double[] actual, double[] expected, MapShape shape, Func<int, int, int, bool> isSpoilt, string what)
    {
        for (int channel = 0; channel < shape.Channels; channel++)
        {
            for (int row = 0; row < shape.Height; row++)
            {
                for (int column = 0; column < shape.Width; column++)
                {
                    int at = (channel * shape.Height + row) * shape.Width + column;
                    if (isSpoilt(channel, row, column))
                        Assert.That(double.IsFinite(actual[at]), Is.False, $"{what} {channel}, {row}, {column}");
                    else
                        Assert.That(actual[at], Is.EqualTo(expected[at]).Within(0.02), $"{what} {channel}, {row}, {column}");
                }
            }
        }
    }
}
