using NUnit.Framework;

namespace SapaGpu.Tests;

/// <summary>
/// Central differences in double precision: the gradient of Σ output·gradOutput that a backward gives, against a
/// forward that reads its operands anew in every call.
/// </summary>
public static class GradientCheck
{
    private const double Step = 1e-5;
    private const double Tolerance = 1e-8;

    /// <summary>
    /// Moves every element of an operand alone; one with more than <paramref name="most"/> elements is moved as often,
    /// all elements at once, in random directions.
    /// </summary>
    public static void Run(
        Func<FeatureMap<double>> forward, FeatureMap<double> operand, double[] gradient, double[] gradOutput, int most, string what)
    {
        var values = operand.ToArray();
        Assert.That(gradient, Has.Length.EqualTo(values.Length), what);
        var random = new Random(1);
        bool oneByOne = values.Length <= most;
        for (int i = 0; i < Math.Min(values.Length, most); i++)
        {
            var direction = new double[values.Length];
            for (int j = 0; j < direction.Length; j++)
                direction[j] = oneByOne ? (i == j ? 1 : 0) : random.Next(2) * 2 - 1;
            double numeric = (Loss(1) - Loss(-1)) / (2 * Step);
            double analytic = gradient.Zip(direction, (g, d) => g * d).Sum();
            Assert.That(
                analytic,
                Is.EqualTo(numeric).Within(Tolerance * Math.Max(1, gradient.Sum(Math.Abs))),
                $"{what}, {(oneByOne ? "element" : "direction")} {i} of {operand}");

            double Loss(int sign)
            {
                operand.CopyFrom(values.Zip(direction, (value, d) => value + sign * Step * d).ToArray());
                using var output = forward();
                return output.ToArray(MemoryFormat.Contiguous).Zip(gradOutput, (value, weight) => value * weight).Sum();
            }
        }
        operand.CopyFrom(values);
    }
}
