using NUnit.Framework;

namespace SapaGpu.Onnx.Tests;

/// <summary>Files of window attention, run by ONNX Runtime without the library, equal the operator.</summary>
[TestFixture]
internal sealed class AttentionExportTests
{
    /// <summary>OH, OW, H, W: the integer ratios first.</summary>
    private static readonly (int OH, int OW, int H, int W)[] Sizes =
    [
        (12, 14, 6, 7), (7, 18, 7, 6), (24, 18, 8, 9), (13, 17, 6, 7), (5, 9, 7, 8),
    ];

    [Test]
    public void Every_border_and_normalisation_equals_the_operator_at_several_sizes(
        [Values] BorderRule border,
        [Values] ScoreNormalisation normalisation,
        [Values] OnnxRatio ratio,
        [Values(1, 3, 5)] int window)
    {
        var options = new WindowAttentionOptions { Window = window, Border = border, Normalisation = normalisation };
        Check<float>(options, ratio, channels: 4, valueChannels: 3, bound: 1e-5);
    }

    [Test]
    public void Heads_equal_the_operator(
        [Values] HeadValue headValue,
        [Values] OnnxRatio ratio,
        [Values(BorderRule.Masked, BorderRule.ZeroLogit)] BorderRule border)
    {
        var options = new WindowAttentionOptions { Window = 3, Heads = 3, HeadValue = headValue, Border = border };
        Check<float>(options, ratio, channels: 6, valueChannels: 9, bound: 1e-5);
    }

    [Test]
    public void Half_precision_equals_the_operator([Values] OnnxRatio ratio, [Values] BorderRule border)
    {
        var options = new WindowAttentionOptions { Window = 5, Border = border };
        Check<Half>(options, ratio, channels: 8, valueChannels: 8, bound: 2e-3);
    }

    [Test]
    public void Scores_far_below_0_keep_their_sigmoid_weights([Values] OnnxRatio ratio, [Values] BorderRule border)
    {
        var options = new WindowAttentionOptions { Window = 3, Border = border, Normalisation = ScoreNormalisation.Sigmoid };
        // Scores from −303 to −297: their logistic functions are no numbers of type float, and their ratios are.
        using var query = Filled(1, 8, 8, _ => 300);
        using var key = Filled(1, 4, 4, cell => -0.99f - 0.02f * (cell * 7 % 16) / 15);
        using var value = TestMaps.Random<float>(3, 1, 2, 4, 4);
        using var expected = WindowAttention.Forward(query, key, value, options);
        using var run = new OnnxRun(OnnxModel.Export(options, options: new OnnxExportOptions { Ratio = ratio }));
        TestMaps.AreEqual(run.Run(query, key, value), expected, 2e-4, $"{options}");
    }

    [TestCase(8, 12, true)]
    [TestCase(8, 11, false)]
    [TestCase(7, 12, false)]
    public void Products_of_matrices_are_chosen_where_sizes_are_multiples(int height, int width, bool areMultiples)
    {
        using var query = TestMaps.Random<float>(1, 1, 4, height, width);
        using var key = TestMaps.Random<float>(2, 1, 4, 4, 4);
        var operations = OnnxRun.Operations(OnnxModel.Export(WindowAttentionOptions.Default), _ => { }, query, key, key);
        Assert.That(operations.Contains("MatMul"), Is.EqualTo(areMultiples));
    }

    [Test]
    public void Sizes_that_are_no_multiples_fail_with_an_integer_ratio()
    {
        using var run = new OnnxRun(OnnxModel.Export(
            WindowAttentionOptions.Default, options: new OnnxExportOptions { Ratio = OnnxRatio.Integer }));
        using var query = TestMaps.Random<float>(1, 1, 4, 13, 12);
        using var key = TestMaps.Random<float>(2, 1, 4, 6, 6);
        Assert.That(() => run.Run(query, key, key), Throws.InstanceOf<Microsoft.ML.OnnxRuntime.OnnxRuntimeException>());
    }

    [Test]
    public void Maps_smaller_than_a_shifted_window_fail([Values] OnnxRatio ratio)
    {
        var options = new WindowAttentionOptions { Window = 5, Border = BorderRule.Shifted };
        using var run = new OnnxRun(OnnxModel.Export(options, options: new OnnxExportOptions { Ratio = ratio }));
        using var query = TestMaps.Random<float>(1, 1, 4, 8, 8);
        using var key = TestMaps.Random<float>(2, 1, 4, 4, 4);
        Assert.That(() => run.Run(query, key, key), Throws.InstanceOf<Microsoft.ML.OnnxRuntime.OnnxRuntimeException>());
    }

    [Test]
    public void Options_that_no_operator_takes_are_refused()
    {
        Assert.That(
            () => OnnxModel.Export(new WindowAttentionOptions { Window = 4 }),
            Throws.InstanceOf<NotSupportedException>().With.Message.Contains("4"));
        Assert.That(
            () => OnnxModel.Export(new WindowAttentionOptions { Heads = 0 }),
            Throws.ArgumentException.With.Message.Contains("Heads must be at least 1"));
        Assert.That(
            () => OnnxModel.Export(WindowAttentionOptions.Default, ElementType.BFloat16),
            Throws.InstanceOf<NotSupportedException>().With.Message.Contains("Float32 or Float16; got BFloat16"));
        Assert.That(
            () => new OnnxExportOptions { Ratio = (OnnxRatio)7 },
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("Any or Integer"));
    }

    private static void Check<T>(
        WindowAttentionOptions options, OnnxRatio ratio, int channels, int valueChannels, double bound)
        where T : unmanaged
    {
        var type = typeof(T) == typeof(Half) ? ElementType.Float16 : ElementType.Float32;
        using var run = new OnnxRun(OnnxModel.Export(options, type, new OnnxExportOptions { Ratio = ratio }));
        int sizes = 0;
        foreach (var (oh, ow, h, w) in Sizes)
        {
            if (ratio == OnnxRatio.Integer && (oh % h != 0 || ow % w != 0))
                continue;
            int batch = 1 + sizes++ % 2;
            using var query = TestMaps.Random<T>(sizes, batch, channels, oh, ow);
            using var key = TestMaps.Random<T>(sizes + 10, batch, channels, h, w);
            using var value = TestMaps.Random<T>(sizes + 20, batch, valueChannels, h, w);
            using var expected = WindowAttention.Forward(query, key, value, options);
            TestMaps.AreEqual(run.Run(query, key, value), expected, bound, $"{options}, {oh}x{ow} of {h}x{w}");
        }
        Assert.That(sizes, Is.GreaterThanOrEqualTo(3));
    }

    private static FeatureMap<float> Filled(int channels, int height, int width, Func<int, float> valueOf)
    {
        var shape = new MapShape(1, channels, height, width);
        return FeatureMap<float>.From(TestMaps.Device, shape, [.. Enumerable.Range(0, (int)shape.ElementCount).Select(valueOf)]);
    }
}
