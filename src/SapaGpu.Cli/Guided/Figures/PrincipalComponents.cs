using System.Numerics.Tensors;

namespace SapaGpu.Cli.Guided.Figures;

/// <summary>
/// The directions in which samples vary most, by iteration of a subspace: no matrix of all pairs of channels is made, of which
/// backbones have thousands.
/// </summary>
/// <remarks>
/// Subspace iteration with a Rayleigh-Ritz step, as in Saad, <i>Numerical Methods for Large Eigenvalue Problems</i>, chapter 5. A
/// direction points to where its largest weight is positive, so that the same samples have the same colours in every run.
/// </remarks>
internal sealed class PrincipalComponents
{
    private const int Extra = 5;
    private const int MostIterations = 200;
    private const double Tolerance = 1e-10;

    /// <summary>Variances below this part of the largest are rounding.</summary>
    private const double Negligible = 1e-12;

    private readonly double[][] directions;
    private readonly double[] offsets;

    private PrincipalComponents(double[] mean, double[][] directions)
    {
        this.directions = directions;
        offsets = [.. directions.Select(direction => TensorPrimitives.Dot<double>(mean, direction))];
    }

    /// <summary>
    /// The number of components: what was asked for, fewer where the samples vary in fewer directions, but at least one.
    /// </summary>
    public int Count => directions.Length;

    /// <summary>Finds the first components.</summary>
    /// <param name="samples">The samples, one a row, all of the same length.</param>
    /// <param name="count">The most components.</param>
    public static PrincipalComponents Fit(IReadOnlyList<double[]> samples, int count)
    {
        int channels = samples[0].Length;
        var mean = new double[channels];
        foreach (double[] sample in samples)
            TensorPrimitives.MultiplyAdd(sample, 1.0 / samples.Count, mean, mean);
        var centred = samples.Select(sample =>
        {
            var difference = new double[channels];
            TensorPrimitives.Subtract(sample, mean, difference);
            return difference;
        }).ToArray();

        // Squares of any finite numbers stay finite.
        double largest = centred.Max(sample => TensorPrimitives.MaxMagnitude(sample));
        if (!(Math.Abs(largest) > 0))
            return new PrincipalComponents(mean, [new double[channels]]);
        foreach (double[] sample in centred)
            TensorPrimitives.Divide(sample, Math.Abs(largest), sample);
        int width = Math.Min(count + Extra, channels);
        var basis = Start(channels, width);
        Orthonormalise(basis);
        double[] variances = [];
        for (int iteration = 0; iteration < MostIterations; iteration++)
        {
            double[] before = variances;
            (basis, variances) = Step(centred, basis);
            if (before.Length > 0 && Enumerable.Range(0, Math.Min(count, width))
                    .All(i => Math.Abs(variances[i] - before[i]) <= Tolerance * variances[0]))
            {
                break;
            }
        }
        var kept = basis.Take(count).Where((_, i) => variances[i] > Negligible * variances[0]).ToArray();
        foreach (double[] direction in kept)
        {
            if (direction[TensorPrimitives.IndexOfMaxMagnitude<double>(direction)] < 0)
                TensorPrimitives.Negate(direction, direction);
        }
        return new PrincipalComponents(mean, kept);
    }

    /// <summary>The weighted sum of the channels of a sample, from which the offset is to be subtracted.</summary>
    public double Dot(int component, ReadOnlySpan<double> sample) => TensorPrimitives.Dot(sample, directions[component]);

    /// <summary>The weight of a channel in a component.</summary>
    public double Weight(int component, int channel) => directions[component][channel];

    /// <summary>The weighted sum of the mean.</summary>
    public double Offset(int component) => offsets[component];

    private static double[][] Start(int channels, int width)
    {
        var random = new Random(0);
        return
        [
            .. Enumerable.Range(0, width).Select(_ =>
                Enumerable.Range(0, channels).Select(_ => random.NextDouble() - 0.5).ToArray()),
        ];
    }

    /// <summary>Multiplies a basis by the covariance, and turns what comes of it so that it is ordered by variance.</summary>
    private static (double[][] Basis, double[] Variances) Step(double[][] samples, double[][] basis)
    {
        int width = basis.Length;
        var next = basis.Select(direction => new double[direction.Length]).ToArray();
        var products = new double[width, width];
        var scores = new double[width];
        foreach (double[] sample in samples)
        {
            for (int i = 0; i < width; i++)
                scores[i] = TensorPrimitives.Dot<double>(sample, basis[i]);
            for (int i = 0; i < width; i++)
            {
                TensorPrimitives.MultiplyAdd(sample, scores[i], next[i], next[i]);
                for (int j = 0; j < width; j++)
                    products[i, j] += scores[i] * scores[j];
            }
        }
        var (values, vectors) = SymmetricEigen.Solve(products);
        var turned = vectors.Select(vector =>
        {
            var direction = new double[next[0].Length];
            for (int i = 0; i < width; i++)
                TensorPrimitives.MultiplyAdd(next[i], vector[i], direction, direction);
            return direction;
        }).ToArray();
        Orthonormalise(turned);
        return (turned, values);
    }

    /// <summary>Gram-Schmidt, twice for orthogonality to the last digits; directions of nothing become zeros.</summary>
    private static void Orthonormalise(double[][] basis)
    {
        for (int i = 0; i < basis.Length; i++)
        {
            double before = TensorPrimitives.Norm<double>(basis[i]);
            for (int pass = 0; pass < 2; pass++)
            {
                for (int j = 0; j < i; j++)
                    TensorPrimitives.MultiplyAdd(basis[j], -TensorPrimitives.Dot<double>(basis[i], basis[j]), basis[i], basis[i]);
            }
            double norm = TensorPrimitives.Norm<double>(basis[i]);
            if (norm > Negligible * before)
                TensorPrimitives.Divide(basis[i], norm, basis[i]);
            else
                Array.Clear(basis[i]);
        }
    }
}
