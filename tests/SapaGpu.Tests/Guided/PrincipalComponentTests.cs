using NUnit.Framework;
using SapaGpu.Cli.Guided.Figures;

namespace SapaGpu.Tests.Guided;

[TestFixture]
internal sealed class PrincipalComponentTests
{
    [TestCase(6, 40)]
    [TestCase(300, 50)]
    [TestCase(2, 5)]
    public void Components_are_the_eigenvectors_of_the_covariance(int channels, int count)
    {
        var samples = Samples(channels, count);
        var components = PrincipalComponents.Fit(samples, 3);
        Assert.That(components.Count, Is.EqualTo(Math.Min(3, channels)));
        double last = double.PositiveInfinity;
        for (int c = 0; c < components.Count; c++)
        {
            double[] direction = [.. Enumerable.Range(0, channels).Select(i => components.Weight(c, i))];
            double[] scores = [.. samples.Select(sample => components.Dot(c, sample) - components.Offset(c))];
            double[] product = [.. Enumerable.Range(0, channels).Select(i =>
                samples.Zip(scores, (sample, score) => (sample[i] - samples.Average(other => other[i])) * score).Sum())];
            double variance = scores.Sum(score => score * score);
            Assert.That(product, Is.EqualTo(direction.Select(weight => variance * weight)).Within(1e-4 * variance));
            Assert.That(direction.Sum(weight => weight * weight), Is.EqualTo(1).Within(1e-12));
            Assert.That(direction.MaxBy(Math.Abs), Is.Positive);
            Assert.That(variance, Is.LessThanOrEqualTo(last));
            last = variance;
        }
    }

    [Test]
    public void Samples_may_vary_in_few_directions_or_none()
    {
        double[] at = [1, -2, 3, 0], along = [0, 3, -4, 0];
        List<double[]> line = [.. Enumerable.Range(0, 9).Select(step => at.Zip(along, (a, b) => a + step * b).ToArray())];
        var components = PrincipalComponents.Fit(line, 3);
        Assert.That(components.Count, Is.EqualTo(1));
        Assert.That(Enumerable.Range(0, 4).Select(i => components.Weight(0, i)), Is.EqualTo(new[] { 0, -0.6, 0.8, 0 }).Within(1e-12));
        var constant = PrincipalComponents.Fit([at, at, at], 3);
        Assert.That((constant.Count, constant.Dot(0, at) - constant.Offset(0)), Is.EqualTo((1, 0.0)));
        Assert.That(PrincipalComponents.Fit([at], 3).Count, Is.EqualTo(1));
    }

    [TestCase(1e-200)]
    [TestCase(1e200)]
    public void Scale_does_not_matter(double scale)
    {
        var samples = Samples(5, 30);
        var components = PrincipalComponents.Fit(samples, 3);
        var scaled = PrincipalComponents.Fit([.. samples.Select(sample => sample.Select(value => value * scale).ToArray())], 3);
        for (int c = 0; c < 3; c++)
        {
            for (int i = 0; i < 5; i++)
                Assert.That(scaled.Weight(c, i), Is.EqualTo(components.Weight(c, i)).Within(1e-6));
        }
    }

    private static List<double[]> Samples(int channels, int count)
    {
        var random = new Random(channels);
        return
        [
            .. Enumerable.Range(0, count).Select(_ =>
                Enumerable.Range(0, channels).Select(i => (random.NextDouble() - 0.3) * (1 + 3.0 / (1 + i))).ToArray()),
        ];
    }
}
