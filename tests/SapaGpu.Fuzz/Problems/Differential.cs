using System.Globalization;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>
/// Compares the results of a device with those of the reference: outputs and small gradients whole, of larger gradients
/// elements at random and a sum of all with random signs.
/// </summary>
internal sealed class Differential(OperatorProblem problem, ElementType type, Draw draw)
{
    private const int Samples = 8;
    private const int SmallGradient = 12;

    public void Check(IReadOnlyList<Result> results)
    {
        CheckComplete(results);
        foreach (var result in results)
        {
            if (result.Operand < 0)
                CheckOutput(result);
            else
                CheckGradient(result);
        }
    }

    /// <summary>The allowed error beside expected values of a largest magnitude.</summary>
    public double Bound(bool backward, double magnitude) =>
        Bounds.Share(type, backward) * problem.Roundings(type, backward) * Math.Max(1, magnitude);

    /// <summary>Fails where an output or a gradient is missing or has another shape.</summary>
    public void CheckComplete(IReadOnlyList<Result> results)
    {
        if (results.Count(result => result.Operand < 0) != 1)
            throw new FuzzFailureException("There is not one output.");
        foreach (var result in results)
        {
            var shape = result.Operand < 0 ? problem.GradOutput.Shape : problem.Operands[result.Operand].Shape;
            if (result.Shape != shape)
                throw new FuzzFailureException($"'{result.Name}' has the shape {result.Shape}, not {shape}.");
        }
    }

    private void CheckOutput(Result result)
    {
        var expected = problem.Expected().ToArray();
        double bound = Bound(backward: false, expected.Max(Math.Abs));
        for (int i = 0; i < expected.Length; i++)
            CheckOne("output", i, result.Shape, result.Values[i], expected[i], bound);
    }

    private void CheckGradient(Result result)
    {
        var gradient = new ExpectedGradient(problem, problem.Operands[result.Operand]);
        string name = $"gradient of '{result.Name}'";
        int count = result.Values.Length;
        bool isWhole = count <= SmallGradient;
        int[] elements = isWhole
            ? [.. Enumerable.Range(0, count)]
            : [0, count - 1, .. Enumerable.Range(0, Samples).Select(_ => draw.Int(0, count - 1))];
        var expected = Array.ConvertAll(elements, gradient.Of);
        double bound = Bound(backward: true, expected.Max(Math.Abs));
        for (int i = 0; i < elements.Length; i++)
            CheckOne(name, elements[i], result.Shape, result.Values[elements[i]], expected[i], bound);
        if (isWhole)
            return;
        var direction = Array.ConvertAll(result.Values, _ => draw.OnceIn(2) ? 1.0 : -1);
        double along = direction.Zip(result.Values, (sign, value) => sign * value).Sum();
        double expectedAlong = gradient.Along(direction);
        if (!(Math.Abs(along - expectedAlong) <= bound * count))
        {
            throw new FuzzFailureException(string.Create(
                CultureInfo.InvariantCulture,
                $"The {name} is {along:g9} along a direction, expected {expectedAlong:g9}, bound {bound * count:e1}."));
        }
    }

    // NaN is beyond every bound.
    private static void CheckOne(string name, int at, MapShape shape, double actual, double expected, double bound)
    {
        if (Math.Abs(actual - expected) <= bound)
            return;
        throw new FuzzFailureException(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}{Position(at, shape)} is {actual:g9}, expected {expected:g9}, bound {bound:e1}."));
    }

    private static string Position(int at, MapShape shape)
    {
        int row = at / shape.Width;
        int channel = row / shape.Height;
        return $"[{channel / shape.Channels}, {channel % shape.Channels}, {row % shape.Height}, {at % shape.Width}]";
    }
}
