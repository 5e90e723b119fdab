using NUnit.Framework;

namespace SapaGpu.Tests.Maps;

/// <summary>
/// The two formats beside one another: whole vectors of channels are multiplied where they lie, with the lanes over
/// channels, which no other format and no other number of channels is.
/// </summary>
[TestFixture(typeof(float))]
[TestFixture(typeof(Half))]
[TestFixture(typeof(BFloat16))]
public sealed class FormatTests<T>
    where T : unmanaged
{
    // One cell, and one more than two vectors of cells.
    [Test]
    public void Attention_is_the_same_in_both_formats(
        [Values(1, 3, 5, 7, 9)] int window,
        [Values(1, 2)] int scale,
        [Values(1, 33)] int width,
        [Values(16, 80)] int channels,
        [Values(BorderRule.ZeroLogit, BorderRule.Masked)] BorderRule border)
    {
        var options = new WindowAttentionOptions { Window = window, Border = border };
        var shape = new WindowShape(2, 4, width, window, scale, channels, channels);
        var expected = Run(shape, options, MemoryFormat.Contiguous);
        var actual = Run(shape, options, MemoryFormat.ChannelsLast);
        for (int i = 0; i < expected.Length; i++)
        {
            string? difference = Compare.Difference<T>(
                actual[i].Values, expected[i].Values, expected[i].Shape, backward: i > 1);
            Assert.That(difference, Is.Null, $"result {i}");
        }
    }

    // Scores, output, and the gradients of query, key and value.
    private static (MapShape Shape, double[] Values)[] Run(
        WindowShape shape, WindowAttentionOptions options, MemoryFormat format)
    {
        var device = TestDevices.Open("cpu");
        var random = new Random(1);
        using var query = Draw(shape.QueryShape);
        using var key = Draw(shape.KeyShape);
        using var value = Draw(shape.ValueShape);
        using var gradOutput = Draw(shape.OutputShape);
        using var scores = WindowSimilarity.Forward(query, key, options);
        using var output = WindowAttention.Forward(query, key, value, options, out var context);
        using var gradients = WindowAttention.Backward(context, gradOutput);
        context.Dispose();
        return [Read(scores), Read(output), Read(gradients.Query!), Read(gradients.Key!), Read(gradients.Value!)];

        FeatureMap<T> Draw(
            MapShape size) => ReferenceMap.Random(random, size).RoundedTo<T>().ToTensor<T>(device, format);
    }

    private static (MapShape Shape, double[] Values) Read(FeatureMap<T> tensor) =>
        (tensor.Shape, Array.ConvertAll(tensor.ToArray(MemoryFormat.Contiguous), ElementTypes.ToDouble));
}
