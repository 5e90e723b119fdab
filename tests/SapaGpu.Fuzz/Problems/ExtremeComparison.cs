using System.Globalization;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>
/// Compares results on extreme values with the reference: NaN where it has NaN, the same infinities where the problem keeps
/// them, and near it elsewhere.
/// Of a gradient, the elements are compared whose derivative the reference can tell.
/// </summary>
internal sealed class ExtremeComparison(OperatorProblem problem, ElementType type, Draw draw)
{
    private const int Samples = 6;

    private readonly Differential differential = new(problem, type, draw);

    public void Check(IReadOnlyList<Result> results)
    {
        differential.CheckComplete(results);
        foreach (var result in results)
        {
            if (result.Operand < 0)
                CheckAll(result, problem.Expected().ToArray());
            else
                CheckSamples(result);
        }
    }

    /// <summary>Images behind the first are as near to what they were as to the reference.</summary>
    public void CheckOtherImages(IReadOnlyList<Result> sound, IReadOnlyList<Result> spoilt)
    {
        foreach (var (before, after) in sound.Zip(spoilt))
        {
            if (before.Operand >= 0 && problem.Operands[before.Operand].IsParameter)
                continue;
            int image = before.Values.Length / before.Shape.Batch;
            double bound = 2 * differential.Bound(before.Operand >= 0, before.Values.Max(Math.Abs));
            for (int i = image; i < before.Values.Length; i++)
                CheckOne($"image {i / image} of '{before.Name}'", i % image, after.Values[i], before.Values[i], bound);
        }
    }

    private void CheckAll(Result result, double[] expected)
    {
        double bound = differential.Bound(
            backward: false, expected.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max());
        for (int i = 0; i < expected.Length; i++)
        {
            if (problem.KeepsNonFinite || double.IsFinite(expected[i]))
                CheckOne("output", i, result.Values[i], Rounding.To(type, expected[i]), bound);
        }
    }

    private void CheckSamples(Result result)
    {
        var operand = problem.Operands[result.Operand];
        var gradient = new ExpectedGradient(problem, operand);

        // An operand of a large magnitude multiplies the rounding of everything else.
        double scale = problem.Operands
            .Append(problem.GradOutput)
            .Aggregate(1.0, (product, one) => product * Math.Max(1, LargestFinite(one)));
        var resultType = operand.IsParameter ? type.Accumulator() : type;
        var samples = Enumerable.Range(0, Samples)
            .Select(_ => draw.Int(0, result.Values.Length - 1))
            .Select(at => (At: at, Expected: gradient.Of(at)))
            .Where(sample => double.IsFinite(sample.Expected))
            .Where(sample => double.IsFinite(result.Values[sample.At]) || !problem.MayOverflow(result.Operand, type))
            .ToArray();

        // Where weights are not normalised, a gradient is a sum of many terms.
        double largest = samples.Select(sample => Math.Abs(sample.Expected)).DefaultIfEmpty().Max();
        double bound = differential.Bound(backward: true, Math.Max(scale, largest));
        foreach (var (at, expected) in samples)
            CheckOne($"gradient of '{result.Name}'", at, result.Values[at], Rounding.To(resultType, expected), bound);
    }

    private static double LargestFinite(Operand operand) =>
        operand.Values.Values.Select(value => Math.Abs(value.Value)).Where(double.IsFinite).DefaultIfEmpty().Max();

    private static void CheckOne(string name, int at, double actual, double expected, double bound)
    {
        if (double.IsNaN(expected) ? double.IsNaN(actual) : actual.Equals(expected) || Math.Abs(actual - expected) <= bound)
            return;
        throw new FuzzFailureException(string.Create(
            CultureInfo.InvariantCulture, $"{name}: element {at} is {actual:g9}, expected {expected:g9}, bound {bound:e1}."));
    }
}
