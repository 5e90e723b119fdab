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
}
