using NUnit.Framework;
using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Tests;

/// <summary>Files of deformable attention, run by ONNX Runtime without the library, equal the operator.</summary>
[TestFixture]
internal sealed class DeformableExportTests
{
    /// <summary>OH, OW, H, W: integer ratios, others, a map of one row and one of one cell.</summary>
    private static readonly (int OH, int OW, int H, int W)[] Sizes =
    [
        (12, 14, 6, 7), (13, 17, 6, 7), (5, 9, 7, 8), (6, 10, 1, 5), (3, 2, 1, 1),
    ];

    [Test]
    public void Groups_and_points_equal_the_operator_at_several_sizes([Values(1, 3)] int groups, [Values(1, 4)] int points)
    {
        var options = new DeformableAttentionOptions { Groups = groups, Points = points };
        Check<float>(options, ElementType.Float32, 1e-5);
    }

    [Test]
    public void Half_precision_equals_the_operator() =>
        Check<Half>(new DeformableAttentionOptions { Groups = 2, Points = 3 }, ElementType.Float16, 2e-3);

    // On cells, on the outermost positions that count and on those that do not, far away, and nowhere.
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(-1)]
    [TestCase(0.999f)]
    [TestCase(-0.999f)]
    [TestCase(4)]
    [TestCase(-4)]
    [TestCase(1e30f)]
    [TestCase(float.NegativeInfinity)]
    [TestCase(float.NaN)]
    public void Offsets_of_every_kind_equal_the_operator(float offset)
    {
        var options = new DeformableAttentionOptions { Groups = 1, Points = 2 };
        using var query = TestMaps.Random<float>(1, 1, 3, 8, 10);
        using var key = TestMaps.Random<float>(2, 1, 3, 4, 5);
        // The second point is the cell itself, so that the first one's part in the softmax shows.
        var shape = new MapShape(1, 4, 8, 10);
        var values = Enumerable.Range(0, (int)shape.ElementCount).Select(i => i < shape.ElementCount / 2 ? offset : 0);
        using var offsets = FeatureMap<float>.From(TestMaps.Device, shape, [.. values]);
        using var expected = DeformableAttention.Forward(query, key, key, offsets, options);
        using var run = new OnnxRun(OnnxModel.Export(options));
        TestMaps.AreEqual(run.Run(query, key, key, offsets), expected, 1e-5, $"{offset}");
    }

    [Test]
    public void Options_that_the_operator_does_not_take_are_refused()
    {
        Assert.That(
            () => OnnxModel.Export(new DeformableAttentionOptions { Groups = 0 }),
            Throws.ArgumentException.With.Message.Contains("Groups 0"));
        Assert.That(
            () => OnnxModel.Export(new DeformableAttentionOptions { Points = 0 }),
            Throws.ArgumentException.With.Message.Contains("Points 0"));
        Assert.That(
            () => OnnxModel.Export(new DeformableAttentionOptions(), ElementType.Float64),
            Throws.InstanceOf<NotSupportedException>().With.Message.Contains("Float32 or Float16; got Float64"));
        Assert.That(() => OnnxModel.Export((DeformableAttentionOptions)null!), Throws.ArgumentNullException);
    }

    [Test]
    public void In_the_kernel_the_result_is_the_operator_s_own([Values] bool isNarrow)
    {
        var options = new DeformableAttentionOptions { Groups = 2, Points = 3 };
        if (isNarrow)
            Check<Half>(options, ElementType.Float16, 0, isRegistered: true);
        else
            Check<float>(options, ElementType.Float32, 0, isRegistered: true);
    }

    [TestCase(DeformableOperators.Groups, null, "needs the attribute 'groups'")]
    [TestCase(DeformableOperators.Points, null, "needs the attribute 'points'")]
    [TestCase(DeformableOperators.Points, "9", "needs the attribute 'points'")]
    [TestCase(DeformableOperators.Groups, 0L, "got Groups 0")]
    [TestCase(DeformableOperators.Points, -1L, "Points -1")]
    [TestCase(DeformableOperators.Points, 4294967301L, "out of range")]
    public void Attributes_that_are_wrong_or_missing_are_refused(string name, object? value, string cause)
    {
        var attributes = DeformableOperators.AttributesOf(new DeformableAttentionOptions())
            .Where(attribute => attribute.Name != name)
            .ToList();
        if (value is long number)
            attributes.Add(OnnxAttribute.Of(name, number));
        if (value is string text)
            attributes.Add(OnnxAttribute.Of(name, text));
        RegisteredOperatorTests.RefusesNode(DeformableOperators.Attention, attributes, cause, "query", "key", "value", "offsets");
    }

    [Test]
    public void Operands_that_do_not_fit_are_refused_with_the_library_s_message()
    {
        var options = new DeformableAttentionOptions { Groups = 2, Points = 2 };
        using var run = new OnnxRun(
            OnnxModel.Export(options, options: new OnnxExportOptions { HasFunctions = false }), o => o.AddSapaGpu());
        using var query = TestMaps.Random<float>(1, 1, 4, 8, 8);
        using var key = TestMaps.Random<float>(2, 1, 4, 4, 4);
        using var offsets = TestMaps.Random<float>(3, 1, 8, 8, 8);
        using var narrow = TestMaps.Random<float>(3, 1, 8, 8, 7);
        using var odd = TestMaps.Random<float>(3, 1, 3, 4, 4);
        Refuses(key, narrow, "'query' must be");
        Refuses(odd, offsets, "multiple of the 2 groups");
        using var expected = DeformableAttention.Forward(query, key, key, offsets, options);
        TestMaps.AreEqual(run.Run(query, key, key, offsets), expected, 0, "after failures");

        void Refuses(FeatureMap<float> value, FeatureMap<float> points, string cause) => Assert.That(
            () => run.Run(query, key, value, points),
            Throws.InstanceOf<Microsoft.ML.OnnxRuntime.OnnxRuntimeException>().With.Message.Contains(cause));
    }

    private static void Check<T>(
        DeformableAttentionOptions options, ElementType type, double bound, bool isRegistered = false)
        where T : unmanaged
    {
        var export = new OnnxExportOptions { HasFunctions = !isRegistered };
        using var run = new OnnxRun(OnnxModel.Export(options, type, export), sessionOptions =>
        {
            if (isRegistered)
                sessionOptions.AddSapaGpu();
        });
        int seed = 0;
        foreach (var (oh, ow, h, w) in Sizes)
        {
            int batch = 1 + seed++ % 2;
            using var query = TestMaps.Random<T>(seed, batch, options.Groups * 3, oh, ow);
            using var key = TestMaps.Random<T>(seed + 10, batch, options.Groups * 3, h, w);
            using var value = TestMaps.Random<T>(seed + 20, batch, options.Groups * 2, h, w);
            using var offsets = TestMaps.Random<T>(seed + 30, batch, options.Groups * options.Points * 2, oh, ow);
            using var expected = DeformableAttention.Forward(query, key, value, offsets, options);
            TestMaps.AreEqual(run.Run(query, key, value, offsets), expected, bound, $"{options}, {oh}x{ow} of {h}x{w}");
        }
    }
}
