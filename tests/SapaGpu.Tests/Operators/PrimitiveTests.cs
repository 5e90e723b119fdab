using NUnit.Framework;

namespace SapaGpu.Tests.Operators;

/// <summary>Similarity and reassembly against the reference, on every device.</summary>
[TestFixture]
public sealed class PrimitiveTests
{
    [Test]
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
            using var scores = WindowSimilarity.Forward(query, key, problem.Window);
            Compare.Forward(scores, Forward(), $"{device} {format} {problem}");
            var (gradQuery, gradKey) = WindowSimilarity.Backward(query, key, grad);
            using (gradQuery)
            using (gradKey)
            {
                Compare.Backward(
                    gradQuery, Reference.Gradient(Forward, operands.Query, gradScores), $"query, {device} {format} {problem}");
                Compare.Backward(
                    gradKey, Reference.Gradient(Forward, operands.Key, gradScores), $"key, {device} {format} {problem}");
            }
        }
    }

    [Test]
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
                Compare.Backward(
                    gradWeights,
                    Reference.Gradient(Forward, weights, operands.GradOutput),
                    $"weights, {device} {format} {problem}");
                Compare.Backward(
                    gradValue,
                    Reference.Gradient(Forward, operands.Value, operands.GradOutput),
                    $"value, {device} {format} {problem}");
            }
        }
    }

    [Test]
    public void Taps_outside_the_map_are_exactly_zero_even_next_to_infinity(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var shape = new WindowShape(1, 1, 1, 3, 2, 4, 4);
        using var query = Tensor<float>.From(
            opened, shape.QueryShape, Enumerable.Repeat(float.PositiveInfinity, 16).ToArray(), format);
        using var key = Tensor<float>.From(opened, shape.KeyShape, [1, 1, 1, 1], format);
        using var scores = WindowSimilarity.Forward(query, key, 3);
        var values = scores.ToArray(MemoryFormat.Contiguous);
        for (int tap = 0; tap < 9; tap++)
            Assert.That(values[tap * 4], Is.EqualTo(tap == 4 ? float.PositiveInfinity : 0f), $"{device} tap {tap}");

        using var weights = Tensor<float>.From(
            opened, shape.WeightsShape, Enumerable.Range(0, 36).Select(i => i / 4 == 4 ? 1f : float.PositiveInfinity).ToArray());
        using var output = WindowReassembly.Forward(weights, key);
        Assert.That(output.ToArray(), Is.All.EqualTo(1f), device);
    }
}
