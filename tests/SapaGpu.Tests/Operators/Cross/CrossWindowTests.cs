using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>Around the cell of each output point cross-resolution attention is window attention.</summary>
[TestFixture]
public sealed class CrossWindowTests
{
    private const int Window = 3;

    [Test]
    [DeviceGrid]
    public void Centred_windows_are_those_of_window_attention(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device,
        [Values(2, 3)] int ratio,
        [Values] BorderRule border,
        [Values] ScoreNormalisation normalisation)
    {
        var opened = TestDevices.Open(device);
        var random = new Random(ratio);
        var low = new MapShape(1, 4, 4, 5);
        var high = new MapShape(1, 4, ratio * low.Height, ratio * low.Width);
        using var query = ReferenceMap.Random(random, high).ToTensor<double>(opened, MemoryFormat.ChannelsLast);
        using var key = ReferenceMap.Random(random, low).ToTensor<double>(opened, MemoryFormat.ChannelsLast);
        using var value = ReferenceMap.Random(random, low).ToTensor<double>(opened, MemoryFormat.Contiguous);
        using var gradOutput = ReferenceMap.Random(random, high).ToTensor<double>(opened, MemoryFormat.Contiguous);

        var windows = new WindowAttentionOptions { Window = Window, Border = border, Normalisation = normalisation };
        using var expected = WindowAttention.Forward(query, key, value, windows, out var windowContext);
        using var expectedGradients = Gradients(windowContext, gradOutput);

        var ranges = WindowRanges.Window(
            low.Height, low.Width, high.Height, high.Width, Window, Window, border);
        var options = new CrossAttentionOptions { Normalisation = normalisation };
        using var actual = CrossAttention.Forward(query, key, value, ranges, options, null, out var context);
        using (context)
        {
            using var gradients = CrossAttention.Backward(context, gradOutput);
            using (Assert.EnterMultipleScope())
            {
                Equal(actual, expected, "output");
                Equal(gradients.Query!, expectedGradients.Query!, "query");
                Equal(gradients.Key!, expectedGradients.Key!, "key");
                Equal(gradients.Value!, expectedGradients.Value!, "value");
            }
        }
    }

    private static WindowAttentionGradients<double> Gradients(
        WindowAttentionContext<double> context, FeatureMap<double> gradOutput)
    {
        using (context)
            return WindowAttention.Backward(context, gradOutput);
    }

    private static void Equal(FeatureMap<double> actual, FeatureMap<double> expected, string what) =>
        Assert.That(Compare.Values(actual), Is.EqualTo(Compare.Values(expected)).Within(1e-11), what);
}
