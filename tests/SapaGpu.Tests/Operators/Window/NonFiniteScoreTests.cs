using NUnit.Framework;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Scores that are infinite, or so far below 0 that the logistic function has no number for them: weights and gradients
/// are still those of the formulas.
/// </summary>
[TestFixture]
public sealed class NonFiniteScoreTests
{
    private const int Size = 3;
    private const int Rows = 4;
    private const int Columns = 5;
    private static readonly MapShape Cells = new(1, 1, Size, Size);
    private static readonly MapShape Queries = new(1, 1, Rows, Columns);

    private static IEnumerable<string> Devices => TestDevices.All;

    [TestCaseSource(nameof(Devices))]
    public void Without_normalisation_an_infinite_score_is_a_weight(string device)
    {
        var opened = TestDevices.Open(device);
        foreach (var border in Enum.GetValues<BorderRule>())
        {
            foreach (float infinite in new[] { float.NegativeInfinity, float.PositiveInfinity })
            {
                var options = new WindowAttentionOptions
                {
                    Window = 3,
                    Border = border,
                    Normalisation = ScoreNormalisation.None,
                };
                var keys = Enumerable.Repeat(2f, Size * Size).ToArray();
                keys[^1] = infinite;
                using var query = FeatureMap<float>.From(opened, Cells, Enumerable.Repeat(1f, Size * Size).ToArray());
                using var key = FeatureMap<float>.From(opened, Cells, keys);
                using var value = FeatureMap<float>.From(opened, Cells, Enumerable.Repeat(3f, Size * Size).ToArray());
                using var output = WindowAttention.Forward(query, key, value, options);
                var result = output.ToArray();
                string what = $"{device} {border} {infinite}";

                // The last cell is in the windows of its neighbours; those of shifted windows are the whole map.
                Assert.That(result[^1], Is.EqualTo(infinite), what);
                Assert.That(result[0], border == BorderRule.Shifted ? Is.EqualTo(infinite) : Is.EqualTo(Corner(border)), what);
                using var weights = WindowWeights.Forward(query, key, options);
                var taps = weights.ToArray();
                Assert.That(taps.Count(weight => weight == infinite), Is.EqualTo(Seen(border)), what);
                Assert.That(taps.Where(weight => weight != infinite), Is.All.AnyOf(0f, 2f), what);
            }
        }

        // Four cells in the window of a corner; those that stand for the outside count again.
        static float Corner(BorderRule border) => border == BorderRule.Replicate ? 54 : 24;

        // Taps on the last cell: four windows have it, or all nine; at the corner it also stands for those outside.
        static int Seen(BorderRule border) => border switch
        {
            BorderRule.Shifted => Size * Size,
            BorderRule.Replicate => 9,
            _ => 4,
        };
    }

    [TestCaseSource(nameof(Devices))]
    public void Sigmoids_far_below_zero_keep_their_ratios(string device)
    {
        var opened = TestDevices.Open(device);
        foreach (double offset in new[] { 0.0, -5, -39, -41, -86, -87.5, -88, -95, -300, -1000, -9000 })
        {
            Check<float>(opened, offset, 1e-6 * Math.Max(1, -offset / 8));
            if (OperatorSupport.Reasons(opened.Info, ElementType.Float64).Count == 0)
                Check<double>(opened, offset, 1e-10);
        }
    }

    [TestCaseSource(nameof(Devices))]
    public void Sigmoids_far_below_zero_are_weights_in_16_bits_too(string device)
    {
        var options = Sigmoid with { Border = BorderRule.ZeroLogit, Window = 1 };
        var opened = TestDevices.Open(device);
        using var query = FeatureMap<BFloat16>.From(opened, Cells, Enumerable.Repeat((BFloat16)1f, Size * Size).ToArray());
        using var key = FeatureMap<BFloat16>.From(opened, Cells, Enumerable.Repeat((BFloat16)(-512f), Size * Size).ToArray());
        using var value = FeatureMap<BFloat16>.From(opened, Cells, Enumerable.Repeat((BFloat16)5f, Size * Size).ToArray());
        using var output = WindowAttention.Forward(query, key, value, options);
        Assert.That(output.ToArray().Select(v => (float)v), Is.All.EqualTo(5f), device);
    }

    [TestCaseSource(nameof(Devices))]
    public void Taps_that_are_left_out_have_weight_0_beside_a_score_that_is_not_finite(string device)
    {
        var opened = TestDevices.Open(device);
        foreach (float score in new[] { float.NaN, float.PositiveInfinity })
        {
            // The only query is that of a corner, whose window has the cells of four taps.
            var scores = new float[Size * Size];
            scores[^1] = score;
            using var map = FeatureMap<float>.From(opened, new MapShape(1, Size * Size, 1, 1), scores);
            var options = new WindowAttentionOptions { Window = Size, Border = BorderRule.Masked };
            using var weights = WindowWeights.Forward(map, Cells, options);
            int[] outside = [0, 1, 2, 3, 6];
            Assert.That(outside.Select(tap => weights.ToArray()[tap]), Is.All.Zero, $"{device} {score}");
        }
    }

    private static WindowAttentionOptions Sigmoid => new()
    {
        Window = Size,
        Border = BorderRule.Shifted,
        Normalisation = ScoreNormalisation.Sigmoid,
    };

    // Every query sees all nine cells, and scores are the keys themselves.
    private static void Check<T>(ComputeDevice device, double offset, double tolerance)
        where T : unmanaged
    {
        var random = new Random(7);
        var scores = Rounded<T>(Size * Size, () => offset + 8 * random.NextDouble() - 4);
        var values = Rounded<T>(Size * Size, () => random.NextDouble() - 0.5);
        var gradient = Rounded<T>(Rows * Columns, () => random.NextDouble() - 0.5);
        using var query = Map<T>(device, Queries, [.. Enumerable.Repeat(1.0, Rows * Columns)]);
        using var key = Map<T>(device, Cells, scores);
        using var value = Map<T>(device, Cells, values);
        using var gradOutput = Map<T>(device, Queries, gradient);
        using var output = WindowAttention.Forward(query, key, value, Sigmoid, out var context);
        using var held = context;
        using var gradients = WindowAttention.Backward(context, gradOutput);
        using var weights = WindowWeights.Forward(query, key, Sigmoid);

        // ln of the logistic function, which has a number wherever the score has one.
        var logarithms = Array.ConvertAll(scores, s => Math.Min(s, 0) - Math.Log(1 + Math.Exp(-Math.Abs(s))));
        double largest = logarithms.Max();
        double sum = logarithms.Sum(l => Math.Exp(l - largest));
        var expected = Array.ConvertAll(logarithms, l => Math.Exp(l - largest) / sum);
        double mean = expected.Zip(values, (w, v) => w * v).Sum();
        string what = $"{device} {typeof(T).Name} {offset}";
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Compare.Values(output), Is.All.EqualTo(mean).Within(tolerance), what);
            var taps = Compare.Values(weights);
            for (int tap = 0; tap < expected.Length; tap++)
                Assert.That(taps[tap * Rows * Columns], Is.EqualTo(expected[tap]).Within(tolerance), $"{what} {tap}");

            // dS = w·(1 − σ)·(v − Σ w·v)·g, summed over the queries for the keys.
            var slopes = expected.Zip(values, (w, v) => w * (v - mean))
                .Zip(scores, (s, x) => s * (1 - (1 / (1 + Math.Exp(-x))))).ToArray();
            double total = gradient.Sum();
            Assert.That(
                Compare.Values(gradients.Key!),
                Is.EqualTo(Array.ConvertAll(slopes, s => s * total)).Within(tolerance * 10),
                $"{what} key");
            double ofQuery = slopes.Zip(scores, (s, x) => s * x).Sum();
            Assert.That(
                Compare.Values(gradients.Query!),
                Is.EqualTo(Array.ConvertAll(gradient, g => g * ofQuery)).Within(tolerance * Math.Max(1, Math.Abs(offset))),
                $"{what} query");
        }
    }

    private static double[] Rounded<T>(int count, Func<double> next)
        where T : unmanaged =>
        [.. Enumerable.Range(0, count).Select(_ => ElementTypes.ToDouble(ElementTypes.FromDouble<T>(next())))];

    private static FeatureMap<T> Map<T>(ComputeDevice device, MapShape shape, double[] values)
        where T : unmanaged => FeatureMap<T>.From(device, shape, Array.ConvertAll(values, ElementTypes.FromDouble<T>));
}
