using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>Similarity and reassembly against the reference, on every device.</summary>
[TestFixture]
public sealed class PrimitiveTests
{
    private static readonly Dictionary<(WindowProblem, string), double[]> Gradients = [];

    [Test]
    [DeviceGrid]
    public void Similarity_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        foreach (var problem in WindowProblem.Small.Append(new WindowProblem(1, 3, 18, 5, 2, 9, 1)))
        {
            var operands = new AttentionCase(problem, BorderRule.ZeroLogit);
            ReferenceMap Forward() => Reference.Similarity(operands.Query, operands.Key, problem.Window);
            var gradScores = ReferenceMap.Random(new Random(2), problem.Shape.WeightsShape);
            using var query = operands.Query.ToTensor<float>(opened, format);
            using var key = operands.Key.ToTensor<float>(opened, format);
            using var grad = gradScores.ToTensor<float>(opened, format);
            using var scores = WindowSimilarity.Forward(query, key, new() { Window = problem.Window });
            Compare.Forward(scores, Forward(), $"{device} {format} {problem}");
            var (gradQuery, gradKey) = WindowSimilarity.Backward(query, key, grad);
            using (gradQuery)
            using (gradKey)
            {
                Compare.Backward(
                    gradQuery, Gradient("query", operands.Query, gradScores), $"query, {device} {format} {problem}");
                Compare.Backward(
                    gradKey, Gradient("key", operands.Key, gradScores), $"key, {device} {format} {problem}");
            }

            double[] Gradient(string name, ReferenceMap input, ReferenceMap gradient) =>
                Once(problem, name, () => Reference.Gradient(Forward, input, gradient));
        }
    }

    [Test]
    [DeviceGrid]
    public void Reassembly_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        foreach (var problem in WindowProblem.Small.Append(new WindowProblem(1, 3, 18, 5, 2, 1, 17)))
        {
            var operands = new AttentionCase(problem, BorderRule.ZeroLogit);
            var weights = ReferenceMap.Random(new Random(2), problem.Shape.WeightsShape);
            ReferenceMap Forward() => Reference.Reassembly(weights, operands.Value);
            using var weight = weights.ToTensor<float>(opened, format);
            using var value = operands.Value.ToTensor<float>(opened, format);
            using var grad = operands.GradOutput.ToTensor<float>(opened, format);
            using var output = WindowReassembly.Forward(weight, value);
            Compare.Forward(output, Forward(), $"{device} {format} {problem}");
            var (gradWeights, gradValue) = WindowReassembly.Backward(weight, value, grad);
            using (gradWeights)
            using (gradValue)
            {
                Compare.Backward(gradWeights, Gradient("weights", weights), $"weights, {device} {format} {problem}");
                Compare.Backward(gradValue, Gradient("value", operands.Value), $"value, {device} {format} {problem}");
            }

            double[] Gradient(string name, ReferenceMap input) =>
                Once(problem, name, () => Reference.Gradient(Forward, input, operands.GradOutput));
        }
    }

    [Test]
    [DeviceGrid]
    public void Taps_outside_the_map_are_exactly_zero_even_next_to_infinity(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var shape = new WindowShape(1, 1, 1, 3, 2, 4, 4);
        using var query = FeatureMap<float>.From(
            opened, shape.QueryShape, Enumerable.Repeat(float.PositiveInfinity, 16).ToArray(), format);
        using var key = FeatureMap<float>.From(opened, shape.KeyShape, [1, 1, 1, 1], format);
        using var scores = WindowSimilarity.Forward(query, key, new() { Window = 3 });
        var values = scores.ToArray(MemoryFormat.Contiguous);
        for (int tap = 0; tap < 9; tap++)
            Assert.That(values[tap * 4], Is.EqualTo(tap == 4 ? float.PositiveInfinity : 0f), $"{device} tap {tap}");

        using var weights = FeatureMap<float>.From(
            opened, shape.WeightsShape, Enumerable.Range(0, 36).Select(
                i => i / 4 == 4 ? 1f : float.PositiveInfinity).ToArray());
        using var output = WindowReassembly.Forward(weights, key);
        Assert.That(output.ToArray(), Is.All.EqualTo(1f), device);
    }

    // The reference takes longer than all devices together.
    private static double[] Once(WindowProblem problem, string name, Func<double[]> compute)
    {
        if (!Gradients.TryGetValue((problem, name), out var known))
            Gradients.Add((problem, name), known = compute());
        return known;
    }
}
