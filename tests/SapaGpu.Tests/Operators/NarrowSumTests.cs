using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>Sums of many terms in 16-bit types: what is lost stays within the roundings that docs/numerics.md names.</summary>
[TestFixture]
public sealed class NarrowSumTests
{
    private const int Heads = 17;

    // From 1 to the next BFloat16. Halves of it are lost, one by one, in a sum of that type.
    private const float Unit = 1f / 128;

    [Test]
    [DeviceGrid]
    public void A_value_shared_by_many_heads_has_the_sum_of_their_gradients(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var opened = TestDevices.Open(device);
        var options = new WindowAttentionOptions { Window = 1, Heads = Heads, HeadValue = HeadValue.Shared };
        using var embedding = Map(opened, Heads, new float[Heads]);
        using var value = Map(opened, 1, [3]);
        using var gradOutput = Map(opened, Heads, [1, .. Enumerable.Repeat(Unit / 2, Heads - 1)]);
        using var output = WindowAttention.Forward(embedding, embedding, value, options, out var context);
        using var kept = context;
        using var attended = WindowAttention.Backward(context, gradOutput);
        using var weights = Map(opened, Heads, [.. Enumerable.Repeat(1f, Heads)]);
        using var reassembled = WindowReassembly.Backward(weights, value, gradOutput, options);
        const float Expected = 1 + (Heads - 1) * Unit / 2;
        Assert.Multiple(() =>
        {
            Assert.That((float)attended.Value!.ToArray()[0], Is.EqualTo(Expected), "attention");
            Assert.That((float)reassembled.Value!.ToArray()[0], Is.EqualTo(Expected), "reassembly");
        });
    }

    [Test]
    [DeviceGrid]
    public void The_mean_over_heads_is_of_weights_that_were_rounded_once(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var opened = TestDevices.Open(device);
        float[] scores = [.. Enumerable.Range(0, Heads).Select(head => head == 0 ? 1 : (1 + head % 2) * Unit / 2)];
        using var map = Map(opened, Heads, scores);
        var options = new WindowAttentionOptions
        {
            Window = 1,
            Heads = Heads,
            Normalisation = ScoreNormalisation.None,
        };
        using var mean = WindowWeights.Forward(map, new MapShape(1, 1, 1, 1), options, average: true);
        float expected = scores.Sum() / Heads;
        Assert.That((float)mean.ToArray()[0], Is.EqualTo(expected).Within(expected * Unit));
    }

    [Test]
    [DeviceGrid]
    public void Gradients_of_deformable_attention_round_weights_once(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        // Two queries of two points each, the second outside: the gradient of the value is the difference of two weights.
        var opened = TestDevices.Open(device);
        const float Score = 0.003f;
        using var query = BFloat16Map(opened, new MapShape(1, 1, 1, 2), [0, Score]);
        using var one = Map(opened, 1, [1]);
        using var offsets = BFloat16Map(opened, new MapShape(1, 4, 1, 2), [0, 0, 0, 0, 100, 100, 100, 100]);
        using var gradOutput = BFloat16Map(opened, new MapShape(1, 1, 1, 2), [1, -1]);
        using var gradients = DeformableAttention.Backward(
            query, one, one, offsets, gradOutput, new DeformableAttentionOptions { Groups = 1, Points = 2 });
        double stored = (float)(BFloat16)Score;
        double weight = 1 / (1 + Math.Exp(-stored));
        Assert.That(
            (double)(float)gradients.Value!.ToArray()[0], Is.EqualTo(0.5 - weight).Within((0.5 + weight) * Unit / 2));
    }

    private static FeatureMap<BFloat16> Map(ComputeDevice device, int channels, float[] values) =>
        BFloat16Map(device, new MapShape(1, channels, 1, 1), values);

    private static FeatureMap<BFloat16> BFloat16Map(ComputeDevice device, MapShape shape, float[] values) =>
        FeatureMap<BFloat16>.From(device, shape, Array.ConvertAll(values, value => (BFloat16)value));
}
