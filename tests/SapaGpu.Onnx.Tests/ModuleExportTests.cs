using NUnit.Framework;

namespace SapaGpu.Onnx.Tests;

/// <summary>Files of modules, run by ONNX Runtime without the library, equal the module's own forward.</summary>
[TestFixture]
internal sealed class ModuleExportTests
{
    [Test]
    public void Sapa_equals_the_module(
        [Values] Similarity similarity, [Values] FeatureNormKind norm, [Values] bool hasValue, [Values] bool hasBias)
    {
        bool isInner = similarity == Similarity.InnerProduct;
        var options = new SapaOptions
        {
            EncoderChannels = isInner ? 8 : 6,
            DecoderChannels = 8,
            EmbeddingChannels = 5,
            Similarity = similarity,
            FeatureNorm = norm,
            NormGroups = 2,
            ValueChannels = hasValue ? 3 : null,
            HasBias = hasBias,
            Window = 3,
            Epsilon = 1e-3,
        };
        CheckSapa<float>(options, new OnnxExportOptions(), 2e-5);
    }

    [Test]
    public void Options_of_the_attention_reach_the_file([Values] OnnxRatio ratio)
    {
        var options = new SapaOptions
        {
            EncoderChannels = 4,
            DecoderChannels = 4,
            Border = BorderRule.Replicate,
            Normalisation = ScoreNormalisation.Sigmoid,
        };
        CheckSapa<float>(options, new OnnxExportOptions { Ratio = ratio }, 2e-5);
    }

    [Test]
    public void Half_precision_equals_the_module([Values] Similarity similarity)
    {
        var options = new SapaOptions
        {
            EncoderChannels = 8,
            DecoderChannels = 8,
            EmbeddingChannels = 8,
            Similarity = similarity,
        };
        CheckSapa<Half>(options, new OnnxExportOptions(), 1e-2);
    }

    [Test]
    public void Carafe_equals_the_module([Values(1, 2, 3)] int scale, [Values(1, 2)] int groups, [Values(1, 2)] int dilation)
    {
        var options = new CarafeOptions
        {
            Channels = 6,
            CompressedChannels = 4,
            Scale = scale,
            Groups = groups,
            Window = scale == 2 ? 5 : 3,
            EncoderDilation = dilation,
        };
        CheckCarafe<float>(options, 2e-5);
    }

    [Test]
    public void Carafe_of_half_precision_equals_the_module() =>
        CheckCarafe<Half>(new CarafeOptions { Channels = 6, CompressedChannels = 4 }, 5e-3);

    [Test]
    public void Sapa_D_equals_the_module(
        [Values] bool hasOwnOffsets,
        [Values(FeatureNormKind.None, FeatureNormKind.Group)] FeatureNormKind norm,
        [Values] bool hasBias,
        [Values(1, 3)] int scale)
    {
        var options = new SapaDeformableOptions
        {
            EncoderChannels = 6,
            DecoderChannels = 8,
            EmbeddingChannels = 3,
            Groups = 2,
            Points = 3,
            Scale = scale,
            HighResolutionOffsets = hasOwnOffsets,
            FeatureNorm = norm,
            NormGroups = 2,
            HasBias = hasBias,
            Epsilon = 1e-3,
        };
        CheckDeformable<float>(options, 2e-5, isRegistered: false);
        CheckDeformable<float>(options, 2e-5, isRegistered: true);
    }

    [Test]
    public void Sapa_D_of_half_precision_equals_the_module([Values] bool hasOwnOffsets, [Values] bool isRegistered)
    {
        var options = new SapaDeformableOptions
        {
            EncoderChannels = 8,
            DecoderChannels = 8,
            Groups = 2,
            Points = 4,
            EmbeddingChannels = 4,
            HighResolutionOffsets = hasOwnOffsets,
            FeatureNorm = FeatureNormKind.Group,
            NormGroups = 2,
        };
        CheckDeformable<Half>(options, 1e-2, isRegistered);
    }

    // The kernel serves any two sizes, and so does the file where no offset belongs to one ratio.
    [Test]
    public void Offsets_of_cells_serve_any_ratio()
    {
        var options = new SapaDeformableOptions
        {
            EncoderChannels = 4,
            DecoderChannels = 4,
            Groups = 1,
            HighResolutionOffsets = false,
        };
        using var module = new SapaDeformableUpsampler<float>(TestMaps.Device, options);
        TestMaps.Randomise(module, 5);
        var model = OnnxModel.Export(module);
        using var encoder = TestMaps.Random<float>(1, 1, 4, 11, 17);
        using var decoder = TestMaps.Random<float>(2, 1, 4, 6, 5);
        using var plain = new OnnxRun(model);
        using var registered = new OnnxRun(model, session => session.AddSapaGpu());
        var (shape, values) = registered.Run(encoder, decoder);
        using var expected = FeatureMap<float>.From(TestMaps.Device, new MapShape(1, 4, 11, 17), values);
        Assert.That(shape, Is.EqualTo((long[])[1, 4, 11, 17]));
        TestMaps.AreEqual(plain.Run(encoder, decoder), expected, 2e-5, "11x17 of 6x5");
    }

    [Test]
    public void Sizes_of_another_ratio_than_that_of_the_offsets_fail([Values] bool isRegistered)
    {
        var options = new SapaDeformableOptions { EncoderChannels = 4, DecoderChannels = 4 };
        using var module = new SapaDeformableUpsampler<float>(TestMaps.Device, options);
        using var run = new OnnxRun(OnnxModel.Export(module), session =>
        {
            if (isRegistered)
                session.AddSapaGpu();
        });
        using var encoder = TestMaps.Random<float>(1, 1, 4, 9, 9);
        using var decoder = TestMaps.Random<float>(2, 1, 4, 3, 3);
        Assert.That(() => run.Run(encoder, decoder), Throws.InstanceOf<Microsoft.ML.OnnxRuntime.OnnxRuntimeException>());
    }

    [Test]
    public void Types_that_files_do_not_have_are_refused()
    {
        using var wide = new SapaUpsampler<double>(TestMaps.Device, new SapaOptions { EncoderChannels = 2, DecoderChannels = 2 });
        Assert.That(
            () => OnnxModel.Export(wide),
            Throws.InstanceOf<NotSupportedException>().With.Message.Contains("Float32 or Float16; got Float64"));
        using var narrow = new CarafeUpsampler<BFloat16>(TestMaps.Device, new CarafeOptions { Channels = 2 });
        Assert.That(
            () => OnnxModel.Export(narrow),
            Throws.InstanceOf<NotSupportedException>().With.Message.Contains("Float32 or Float16; got BFloat16"));
    }

    [Test]
    public void Disposed_modules_and_null_are_refused()
    {
        var module = new CarafeUpsampler<float>(TestMaps.Device, new CarafeOptions { Channels = 2 });
        module.Dispose();
        Assert.That(() => OnnxModel.Export(module), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => OnnxModel.Export((SapaUpsampler<float>)null!), Throws.ArgumentNullException);
        Assert.That(() => OnnxModel.Export((SapaDeformableUpsampler<float>)null!), Throws.ArgumentNullException);
        Assert.That(() => OnnxModel.Export((CarafeUpsampler<float>)null!), Throws.ArgumentNullException);
        Assert.That(() => OnnxModel.Export((WindowAttentionOptions)null!), Throws.ArgumentNullException);
    }

    private static void CheckSapa<T>(SapaOptions options, OnnxExportOptions export, double bound)
        where T : unmanaged
    {
        using var module = new SapaUpsampler<T>(TestMaps.Device, options);
        TestMaps.Randomise(module, 5);
        using var run = new OnnxRun(OnnxModel.Export(module, export));
        (int Batch, int OH, int OW, int H, int W)[] sizes = export.Ratio == OnnxRatio.Integer
            ? [(1, 12, 10, 6, 5), (2, 8, 27, 8, 9)]
            : [(1, 12, 10, 6, 5), (2, 11, 17, 7, 8)];
        foreach (var (batch, oh, ow, h, w) in sizes)
        {
            using var encoder = TestMaps.Random<T>(1, batch, options.EncoderChannels, oh, ow);
            using var decoder = TestMaps.Random<T>(2, batch, options.DecoderChannels, h, w);
            using var expected = module.Forward(encoder, decoder);
            TestMaps.AreEqual(run.Run(encoder, decoder), expected, bound, $"{options}, {oh}x{ow} of {h}x{w}");
        }
    }

    private static void CheckCarafe<T>(CarafeOptions options, double bound)
        where T : unmanaged
    {
        using var module = new CarafeUpsampler<T>(TestMaps.Device, options);
        TestMaps.Randomise(module, 5);
        using var run = new OnnxRun(OnnxModel.Export(module));
        foreach (var (batch, h, w) in ((int, int, int)[])[(1, 6, 7), (2, 5, 4)])
        {
            using var features = TestMaps.Random<T>(1, batch, options.Channels, h, w);
            using var expected = module.Forward(features);
            TestMaps.AreEqual(run.Run(features), expected, bound, $"{options}, {h}x{w}");
        }
    }

    private static void CheckDeformable<T>(SapaDeformableOptions options, double bound, bool isRegistered)
        where T : unmanaged
    {
        using var module = new SapaDeformableUpsampler<T>(TestMaps.Device, options);
        TestMaps.Randomise(module, 5);
        using var run = new OnnxRun(OnnxModel.Export(module), session =>
        {
            if (isRegistered)
                session.AddSapaGpu();
        });
        foreach (var (batch, h, w) in ((int, int, int)[])[(1, 6, 5), (2, 3, 7)])
        {
            using var encoder = TestMaps.Random<T>(1, batch, options.EncoderChannels, h * options.Scale, w * options.Scale);
            using var decoder = TestMaps.Random<T>(2, batch, options.DecoderChannels, h, w);
            using var expected = module.Forward(encoder, decoder);
            TestMaps.AreEqual(run.Run(encoder, decoder), expected, bound, $"{options}, {h}x{w}, registered: {isRegistered}");
        }
    }
}
