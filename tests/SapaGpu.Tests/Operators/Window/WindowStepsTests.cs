using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// The steps of window attention, similarity, weights and reassembly, with every border, other ratios and heads: each
/// against the reference, and all three against the fused operator.
/// </summary>
[TestFixture]
public sealed class WindowStepsTests
{
    private static readonly StepsCase[] Cases = [.. Enum.GetValues<BorderRule>().SelectMany(Create)];

    [Test]
    [DeviceGrid]
    public void Similarity_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.WithoutOpenCL))] string device,
        [Values] MemoryFormat format,
        [Values] BorderRule border)
    {
        var opened = TestDevices.Open(device);
        foreach (var steps in Of(border))
        {
            var operands = steps.Operands;
            string what = $"{device} {format} {operands}";
            using var query = operands.Query.ToTensor<float>(opened, format);
            using var key = operands.Key.ToTensor<float>(opened, format);
            using var grad = steps.GradWeights.ToTensor<float>(opened, format);
            using var scores = WindowSimilarity.Forward(query, key, operands.Options);
            Compare.Forward(scores, steps.Of(steps.Similarity), what);
            var (gradQuery, gradKey) = WindowSimilarity.Backward(query, key, grad, operands.Options);
            using (gradQuery)
            using (gradKey)
            {
                Compare.Backward(
                    gradQuery, steps.Gradient(steps.Similarity, operands.Query, steps.GradWeights, "query"), $"query, {what}");
                Compare.Backward(
                    gradKey, steps.Gradient(steps.Similarity, operands.Key, steps.GradWeights, "key"), $"key, {what}");
            }
        }
    }

    [Test]
    [DeviceGrid]
    public void Reassembly_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.WithoutOpenCL))] string device,
        [Values] MemoryFormat format,
        [Values] BorderRule border)
    {
        var opened = TestDevices.Open(device);
        foreach (var steps in Of(border))
        {
            var operands = steps.Operands;
            string what = $"{device} {format} {operands}";
            using var weights = steps.Weights.ToTensor<float>(opened, format);
            using var value = operands.Value.ToTensor<float>(opened, format);
            using var grad = operands.GradOutput.ToTensor<float>(opened, format);
            using var output = WindowReassembly.Forward(weights, value, operands.Options);
            Compare.Forward(output, steps.Of(steps.Reassembly), what);
            var (gradWeights, gradValue) = WindowReassembly.Backward(weights, value, grad, operands.Options);
            using (gradWeights)
            using (gradValue)
            {
                Compare.Backward(
                    gradWeights,
                    steps.Gradient(steps.Reassembly, steps.Weights, operands.GradOutput, "weights"),
                    $"weights, {what}");
                Compare.Backward(
                    gradValue,
                    steps.Gradient(steps.Reassembly, operands.Value, operands.GradOutput, "value"),
                    $"value, {what}");
            }
        }
    }

    [Test]
    [DeviceGrid]
    public void Weights_match_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.WithoutOpenCL))] string device,
        [Values] MemoryFormat format,
        [Values] BorderRule border)
    {
        var opened = TestDevices.Open(device);
        foreach (var steps in Of(border))
        {
            var (options, key) = (steps.Operands.Options, steps.Operands.Key.Shape);
            string what = $"{device} {format} {steps.Operands}";
            using var scores = steps.Scores.ToTensor<float>(opened, format);
            using var grad = steps.GradWeights.ToTensor<float>(opened, format);
            using var weights = WindowWeights.Forward(scores, key, options);
            Compare.Forward(weights, steps.Of(steps.WeightsOfScores), what);
            using var gradScores = WindowWeights.Backward(scores, key, grad, options);
            Compare.Backward(
                gradScores,
                steps.Gradient(steps.WeightsOfScores, steps.Scores, steps.GradWeights, "scores"),
                $"scores, {what}");

            var other = format == MemoryFormat.Contiguous ? MemoryFormat.ChannelsLast : MemoryFormat.Contiguous;
            using var into = FeatureMap<float>.Create(opened, scores.Shape, other);
            WindowWeights.Backward(scores, key, grad, into, options);
            Compare.Bitwise(into.ToArray(format), gradScores.ToArray(), $"scores into a map, {what}");
        }
    }

    [Test]
    [DeviceGrid]
    public void Weights_averaged_over_the_heads_match_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.WithoutOpenCL))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        foreach (var steps in Cases.Where(c => c.Operands.Options.Heads > 1))
        {
            var (options, key) = (steps.Operands.Options, steps.Operands.Key.Shape);
            string what = $"{device} {format} {steps.Operands}";
            using var scores = steps.Scores.ToTensor<float>(opened, format);
            using var grad = steps.GradMean.ToTensor<float>(opened, format);
            using var mean = WindowWeights.Forward(scores, key, options, average: true);
            Compare.Forward(mean, steps.Of(steps.Mean), $"mean, {what}");
            using var gradScores = WindowWeights.Backward(scores, key, grad, options, average: true);
            Compare.Backward(
                gradScores, steps.Gradient(steps.Mean, steps.Scores, steps.GradMean, "scores"), $"scores, {what}");
        }
    }

    [Test]
    [DeviceGrid]
    public void The_steps_together_give_what_the_fused_operator_gives(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.WithoutOpenCL))] string device,
        [Values] MemoryFormat format,
        [Values] BorderRule border)
    {
        var opened = TestDevices.Open(device);
        foreach (var steps in Of(border))
        {
            var operands = steps.Operands;
            var options = operands.Options;
            string what = $"{device} {format} {operands}";
            using var query = operands.Query.ToTensor<float>(opened, format);
            using var key = operands.Key.ToTensor<float>(opened, format);
            using var value = operands.Value.ToTensor<float>(opened, format);
            using var grad = operands.GradOutput.ToTensor<float>(opened, format);
            using var fused = WindowAttention.Forward(query, key, value, options, out var context);
            using (context)
            {
                using var scores = WindowSimilarity.Forward(query, key, options);
                using var weights = WindowWeights.Forward(scores, key.Shape, options);
                using var output = WindowReassembly.Forward(weights, value, options);
                Compare.Forward(output, ReferenceMap.From(fused.Shape, Compare.Values(fused)), what);
                using var direct = WindowWeights.Forward(query, key, options);
                Compare.Bitwise(direct.ToArray(), weights.ToArray(), $"weights of query and key, {what}");

                using var gradients = WindowAttention.Backward(context, grad);
                var (gradWeights, gradValue) = WindowReassembly.Backward(weights, value, grad, options);
                using var gradScores = WindowWeights.Backward(scores, key.Shape, gradWeights, options);
                var (gradQuery, gradKey) = WindowSimilarity.Backward(query, key, gradScores, options);
                Compare.Backward(gradQuery, Compare.Values(gradients.Query!), $"query, {what}");
                Compare.Backward(gradKey, Compare.Values(gradients.Key!), $"key, {what}");
                Compare.Backward(gradValue, Compare.Values(gradients.Value!), $"value, {what}");
                gradWeights.Dispose();
                gradValue.Dispose();
                gradQuery.Dispose();
                gradKey.Dispose();
            }
        }
    }

    private static IEnumerable<StepsCase> Of(BorderRule border) =>
        Cases.Where(c => c.Operands.Options.Border == border);

    private static IEnumerable<StepsCase> Create(BorderRule border)
    {
        var options = new WindowAttentionOptions { Window = 3, Border = border };
        var sigmoid = options with { Normalisation = ScoreNormalisation.Sigmoid };
        var none = options with { Normalisation = ScoreNormalisation.None };
        yield return Case(options, 3, 4, 6, 8, 3, 5);
        yield return Case(sigmoid with { Heads = 2 }, 3, 5, 7, 8, 8, 8);
        yield return Case(options with { Heads = 2, HeadValue = HeadValue.Shared }, 5, 7, 3, 4, 4, 3);
        yield return Case(none, 4, 3, 4, 12, 4, 4);
        yield return Case(options, 3, 19, 4, 22, 1, 2);
    }

    private static StepsCase Case(
        WindowAttentionOptions options, int height, int width, int outputHeight, int outputWidth, int embedding, int value) =>
        new(new OptionsCase(
            new WindowShape(
                new MapShape(1, embedding, height, width), value, outputHeight, outputWidth, options.Window),
            options));
}
