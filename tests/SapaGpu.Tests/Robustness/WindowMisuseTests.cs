using NUnit.Framework;

namespace SapaGpu.Tests.Robustness;

/// <summary>
/// Wrong choices of the window operators give the documented exception, whose message names the operands and the
/// remedy.
/// </summary>
[TestFixture]
public sealed class WindowMisuseTests
{
    private static readonly WindowAttentionOptions Options = new() { Window = 3 };

    private static ComputeDevice Cpu => TestDevices.Open("cpu");

    [Test]
    public void Heads_that_do_not_divide_the_channels_are_refused()
    {
        using var query = Map(1, 6, 4, 4);
        using var key = Map(1, 6, 2, 2);
        using var value = Map(1, 4, 2, 2);
        using var weights = Map(1, 27, 4, 4);
        Assert.That(
            () => WindowAttention.Forward(query, key, value, Options with { Heads = 4 }),
            Throws.ArgumentException
                .With.Message.Contains("multiple of 4")
                .And.Message.Contains($"query {query.Shape}")
                .And.Message.Contains($"key {key.Shape}")
                .And.Message.Contains($"value {value.Shape}"));
        Assert.That(
            () => WindowAttention.Forward(query, key, value, Options with { Heads = 3 }),
            Throws.ArgumentException.With.Message.Contains("multiple of 3").And.Message.Contains(
                $"value {value.Shape}"));
        Assert.That(
            () => WindowSimilarity.Forward(query, key, Options with { Heads = 4 }),
            Throws.ArgumentException.With.Message.Contains("multiple of 4").And.Message.Contains($"key {key.Shape}"));
        Assert.That(
            () => WindowReassembly.Forward(weights, value, Options with { Heads = 3 }),
            Throws.ArgumentException.With.Message.Contains("multiple of 3").And.Message.Contains(
                $"value {value.Shape}"));

        using var shared = WindowAttention.Forward(
            query, key, value, Options with { Heads = 3, HeadValue = HeadValue.Shared });
        Assert.That(shared.Shape, Is.EqualTo(new MapShape(1, 12, 4, 4)), "a shared value is not divided");
    }

    [TestCase(0)]
    [TestCase(-2)]
    [TestCase(int.MinValue)]
    [TestCase(1 << 30)]
    [TestCase(int.MaxValue)]
    public void A_number_of_heads_out_of_range_is_refused(int heads)
    {
        using var query = Map(1, 4, 4, 4);
        using var key = Map(1, 4, 2, 2);
        using var weights = Map(1, 9, 4, 4);
        foreach (var headValue in Enum.GetValues<HeadValue>())
        {
            var options = Options with { Heads = heads, HeadValue = headValue };
            Assert.That(
                () => WindowAttention.Forward(query, key, key, options), Throws.InstanceOf<ArgumentException>());
            Assert.That(() => WindowSimilarity.Forward(query, key, options), Throws.InstanceOf<ArgumentException>());
            Assert.That(() => WindowReassembly.Forward(weights, key, options), Throws.InstanceOf<ArgumentException>());
            Assert.That(
                () => WindowWeights.Forward(weights, key.Shape, options), Throws.InstanceOf<ArgumentException>());
        }
    }

    [Test]
    public void More_channels_than_a_tensor_can_have_are_refused()
    {
        const int Heads = 1 << 16;
        using var query = Map(1, Heads, 1, 1);
        using var value = Map(1, Heads + 1, 1, 1);
        var options = new WindowAttentionOptions { Window = 1, Heads = Heads, HeadValue = HeadValue.Shared };
        Assert.That(
            () => WindowAttention.Forward(query, query, value, options),
            Throws.ArgumentException.With.Message.Contains($"{Heads} heads need {Heads * (Heads + 1L)} channels"));
    }

    [TestCase(0)]
    [TestCase(-3)]
    [TestCase(4)]
    [TestCase(17)]
    [TestCase(int.MaxValue)]
    public void A_window_that_is_not_supported_is_refused_by_every_step(int window)
    {
        using var query = Map(1, 4, 4, 4);
        using var key = Map(1, 4, 2, 2);
        using var weights = Map(1, 1, 4, 4);
        var options = Options with { Window = window };
        Assert.That(
            () => WindowSimilarity.Forward(query, key, options),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains($"{window}"));
        Assert.That(
            () => WindowWeights.Forward(weights, key.Shape, options),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains($"{window}"));
        Assert.That(
            () => WindowReassembly.Forward(weights, key, options),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains($"{window}"));
    }

    [TestCase(2, 3)]
    [TestCase(3, 2)]
    public void A_map_that_has_no_room_for_a_moved_window_is_refused(int height, int width)
    {
        using var query = Map(1, 4, 6, 6);
        using var key = Map(1, 4, height, width);
        using var weights = Map(1, 9, 6, 6);
        var options = Options with { Border = BorderRule.Shifted };
        foreach (var action in new Action[]
                 {
                     () => WindowAttention.Forward(query, key, key, options),
                     () => WindowSimilarity.Forward(query, key, options),
                     () => WindowReassembly.Forward(weights, key, options),
                     () => WindowWeights.Forward(weights, key.Shape, options),
                 })
        {
            Assert.That(
                action,
                Throws.TypeOf<NotSupportedException>()
                    .With.Message.Contains("the window of 3 is larger than the map")
                    .And.Message.Contains($"{height}x{width}")
                    .And.Message.Contains("border Shifted")
                    .And.Message.Contains("Operands: "));
        }
    }

    [TestCase(33, 2)]
    [TestCase(2, 49)]
    public void A_ratio_above_sixteen_is_refused(int height, int width)
    {
        using var query = Map(1, 4, height, width);
        using var key = Map(1, 4, 2, 3);
        using var weights = Map(1, 9, height, width);
        foreach (var action in new Action[]
                 {
                     () => WindowAttention.Forward(query, key, key, Options),
                     () => WindowSimilarity.Forward(query, key, Options),
                     () => WindowReassembly.Forward(weights, key, Options),
                     () => WindowWeights.Forward(weights, key.Shape, Options),
                 })
        {
            Assert.That(
                action,
                Throws.TypeOf<NotSupportedException>()
                    .With.Message.Contains($"the output is {height}x{width}, but must be at most 16 times 2x3"));
        }
    }

    [Test]
    public void Any_ratio_up_to_sixteen_is_accepted()
    {
        using var key = Map(1, 2, 3, 5);
        foreach (var (height, width) in new[] { (48, 80), (1, 1), (7, 8), (3, 80), (47, 1) })
        {
            using var query = Map(1, 2, height, width);
            using var output = WindowAttention.Forward(query, key, key, Options);
            Assert.That(output.Shape, Is.EqualTo(query.Shape));
        }
    }

    [Test]
    public void Different_numbers_of_images_are_refused()
    {
        using var query = Map(2, 4, 4, 4);
        using var key = Map(1, 4, 2, 2);
        using var weights = Map(2, 9, 4, 4);
        Assert.That(
            () => WindowAttention.Forward(query, key, key, Options),
            Throws.ArgumentException
                .With.Message.Contains("as many images")
                .And.Message.Contains("'query' [2, 4, 4, 4]")
                .And.Message.Contains("'key' [1, 4, 2, 2]"));
        Assert.That(
            () => WindowReassembly.Forward(weights, key, Options),
            Throws.ArgumentException
                .With.Message.Contains("'weights' [2, 9, 4, 4]").And.Message.Contains("'value' [1, 4, 2, 2]"));
        Assert.That(
            () => WindowWeights.Forward(weights, key.Shape, Options),
            Throws.ArgumentException
                .With.Message.Contains("[1, 4, 2, 2]").And.Message.Contains("scores [2, 9, 4, 4]"));
    }

    [Test]
    public void Weights_that_do_not_have_a_channel_for_every_tap_of_every_head_are_refused()
    {
        using var weights = Map(1, 17, 4, 4);
        using var value = Map(1, 4, 2, 2);
        var options = Options with { Heads = 2 };
        Assert.That(
            () => WindowReassembly.Forward(weights, value, options),
            Throws.ArgumentException
                .With.Message.Contains("'weights' must be [1, 18, 4, 4], but is [1, 17, 4, 4]")
                .And.Message.Contains($"value {value.Shape}"));
        Assert.That(
            () => WindowWeights.Forward(weights, value.Shape, options),
            Throws.ArgumentException.With.Message.Contains("'scores' must be [1, 18, 4, 4], but is [1, 17, 4, 4]"));
    }

    [Test]
    public void Gradients_of_another_shape_are_refused()
    {
        using var query = Map(1, 4, 4, 4);
        using var key = Map(1, 4, 2, 2);
        using var scores = Map(1, 18, 4, 4);
        using var mean = Map(1, 9, 4, 4);
        var options = Options with { Heads = 2, HeadValue = HeadValue.Shared };
        using var output = WindowAttention.Forward(query, key, key, options, out var context);
        using (context)
        {
            Assert.That(output.Shape, Is.EqualTo(new MapShape(1, 8, 4, 4)));
            Assert.That(
                () => WindowAttention.Backward(context, query),
                Throws.ArgumentException
                    .With.Message.Contains("'gradOutput' must be [1, 8, 4, 4], but is [1, 4, 4, 4]"));
        }
        Assert.That(
            () => WindowSimilarity.Backward(query, key, mean, options),
            Throws.ArgumentException.With.Message.Contains("'gradScores' must be [1, 18, 4, 4], but is [1, 9, 4, 4]"));
        Assert.That(
            () => WindowReassembly.Backward(scores, key, query, options),
            Throws.ArgumentException.With.Message.Contains("'gradOutput' must be [1, 8, 4, 4], but is [1, 4, 4, 4]"));
        Assert.That(
            () => WindowWeights.Backward(scores, key.Shape, mean, options),
            Throws.ArgumentException.With.Message.Contains("'gradWeights' must be [1, 18, 4, 4]"));
        Assert.That(
            () => WindowWeights.Backward(scores, key.Shape, scores, options, average: true),
            Throws.ArgumentException.With.Message.Contains("'gradWeights' must be [1, 9, 4, 4]"));
        Assert.That(
            () => WindowWeights.Backward(scores, key.Shape, scores, mean, options),
            Throws.ArgumentException.With.Message.Contains("'gradScores' must be [1, 18, 4, 4], but is [1, 9, 4, 4]"));
        Assert.That(
            () => WindowWeights.Backward(scores, key.Shape, scores, scores, options),
            Throws.ArgumentException.With.Message.Contains("shares memory"));
    }

    [Test]
    public void A_context_of_other_choices_is_refused()
    {
        using var query = Map(1, 4, 6, 6);
        using var key = Map(1, 4, 3, 3);
        using var output = Map(1, 4, 6, 6);
        using var context = new WindowAttentionContext<float>(Cpu, new WindowShape(1, 3, 3, 3, 2, 4, 4), Options);
        foreach (var (other, choice) in new[]
                 {
                     (Options with { Border = BorderRule.Replicate }, "border Replicate"),
                     (Options with { Normalisation = ScoreNormalisation.Sigmoid }, "normalisation Sigmoid"),
                     (Options with { Heads = 2 }, "heads 2"),
                 })
        {
            Assert.That(
                () => WindowAttention.Forward(query, key, key, output, other, context),
                Throws.ArgumentException.With.Message.Contains("The context was made for")
                    .And.Message.Contains(choice).And.Message.Contains($"output {output.Shape}"));
        }
        Assert.That(() => WindowAttention.Forward(query, key, key, output, Options, context), Throws.Nothing);
    }

    [Test]
    public void What_was_disposed_is_named_by_every_step()
    {
        using var query = Map(1, 4, 4, 4);
        using var key = Map(1, 4, 2, 2);
        using var scores = Map(1, 18, 4, 4);
        var disposed = Map(1, 18, 4, 4);
        var disposedKey = Map(1, 4, 2, 2);
        disposed.Dispose();
        disposedKey.Dispose();
        var options = Options with { Heads = 2 };
        Names("'key'", () => WindowSimilarity.Forward(query, disposedKey, options));
        Names("'gradScores'", () => WindowSimilarity.Backward(query, key, disposed, options));
        Names("'scores'", () => WindowWeights.Forward(disposed, key.Shape, options));
        Names("'gradWeights'", () => WindowWeights.Backward(scores, key.Shape, disposed, options));
        Names("'weights'", () => WindowReassembly.Forward(disposed, key, options));
        Names("'value'", () => WindowReassembly.Backward(scores, disposedKey, query, options));

        static void Names(string operand, Action action) => Assert.That(
            action, Throws.TypeOf<ObjectDisposedException>().With.Message.Contains($"{operand} was disposed"));
    }

    [Test]
    public void Nulls_are_refused_by_every_step()
    {
        using var tensor = Map(1, 4, 2, 2);
        Assert.That(() => WindowSimilarity.Forward(null!, tensor, Options), Throws.ArgumentNullException);
        Assert.That(() => WindowWeights.Forward<float>(null!, tensor.Shape), Throws.ArgumentNullException);
        Assert.That(() => WindowWeights.Backward(tensor, tensor.Shape, null!), Throws.ArgumentNullException);
        Assert.That(() => WindowWeights.Forward(tensor, null!), Throws.ArgumentNullException);
        Assert.That(() => WindowReassembly.Forward(null!, tensor), Throws.ArgumentNullException);
    }

    private static FeatureMap<float> Map(int batch, int channels, int height, int width)
    {
        var tensor = FeatureMap<float>.Create(Cpu, new MapShape(batch, channels, height, width));
        tensor.Clear();
        return tensor;
    }
}
