using NUnit.Framework;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests.Operators;

/// <summary>A batch of 0: outputs of no images in the shape of a batch, and gradients of zero.</summary>
[TestFixture]
public sealed class EmptyBatchTests
{
    private static IEnumerable<TestCaseData> Functions =>
    [
        Named("window attention", [8, 10, 14, 8, 5, 7, 6, 5, 7], [6, 10, 14], m => SapaFunctional.WindowAttention(m[0], m[1], m[2])),
        Named("similarity", [8, 10, 14, 8, 5, 7], [25, 10, 14], m => SapaFunctional.WindowSimilarity(m[0], m[1])),
        Named("reassembly", [25, 10, 14, 6, 5, 7], [6, 10, 14], m => SapaFunctional.WindowReassembly(m[0], m[1])),
        Named("CARAFE", [6, 5, 7, 18, 10, 14], [6, 10, 14], m => SapaFunctional.Carafe(m[0], m[1], window: 3, groups: 2)),
        Named("deformable attention", [8, 10, 14, 8, 5, 7, 6, 5, 7, 72, 10, 14], [6, 10, 14], m => SapaFunctional.DeformableAttention(
            m[0], m[1], m[2], m[3], new DeformableAttentionOptions { Groups = 2, Points = 18 })),
        Named("cross attention", [8, 10, 14, 8, 5, 7, 6, 5, 7, 1, 5, 7], [6, 10, 14], m => SapaFunctional.CrossAttention(
            m[0], m[1], m[2], WindowRanges.Ratio(5, 7, 10, 14, 0.2f), new CrossAttentionOptions { Heads = 2 }, m[3])),
        Named("bilinear", [6, 5, 7], [6, 9, 14], m => SapaFunctional.Interpolate(m[0], 9, 14)),
        Named("nearest", [6, 5, 7], [6, 9, 14], m => SapaFunctional.Interpolate(m[0], 9, 14, InterpolationMode.Nearest)),
        Named("blend", [6, 10, 14, 6, 5, 7, 1, 5, 7], [6, 10, 14], m => SapaFunctional.QueryBlend(m[0], m[1], m[2])),
        Named("sum", [6, 10, 14, 6, 5, 7], [6, 10, 14], m => SapaFunctional.QueryBlend(m[0], m[1])),
    ];

    private static IEnumerable<TestCaseData> Modules =>
    [
        .. Enum.GetValues<Similarity>().Select(similarity => new TestCaseData(() => (torch.nn.Module)new SapaUpsample(
            new SapaOptions { EncoderChannels = 6, DecoderChannels = 6, Similarity = similarity, ValueChannels = null }))
            .SetArgDisplayNames($"{similarity}")),
        new TestCaseData(() => (torch.nn.Module)new SapaUpsample(new SapaOptions
        {
            EncoderChannels = 6,
            DecoderChannels = 6,
            ValueChannels = 6,
            FeatureNorm = FeatureNormKind.Group,
            NormGroups = 2,
        })).SetArgDisplayNames("GroupNorm"),
        new TestCaseData(() => (torch.nn.Module)new SapaDeformableUpsample(
            new SapaDeformableOptions { EncoderChannels = 6, DecoderChannels = 6, Groups = 2 })).SetArgDisplayNames("SAPA-D"),
        new TestCaseData(() => (torch.nn.Module)new SapaDeformableUpsample(new SapaDeformableOptions
        {
            EncoderChannels = 6,
            DecoderChannels = 6,
            Groups = 3,
            HighResolutionOffsets = false,
        })).SetArgDisplayNames("SAPA-D, an offset a cell"),
        new TestCaseData(() => (torch.nn.Module)new CarafeUpsample(
            new CarafeOptions { Channels = 6, CompressedChannels = 4, Groups = 2 })).SetArgDisplayNames("CARAFE"),
    ];

    [TestCaseSource(nameof(Functions))]
    public void Functions_give_no_images_and_gradients_of_zero(
        long[] sizes, long[] expected, Func<torch.Tensor[], torch.Tensor> call)
    {
        foreach (var type in new[] { torch.float32, torch.float64, torch.bfloat16 })
        {
            using var scope = torch.NewDisposeScope();
            var maps = sizes.Chunk(3).Select(size => torch.rand([0, .. size], type).requires_grad_()).ToArray();
            var output = call(maps);
            Assert.That(output.shape, Is.EqualTo((long[])[0, .. expected]));
            Assert.That(output.dtype, Is.EqualTo(type));
            output.sum().backward();
            foreach (var map in maps)
                Assert.That(map.grad?.shape, Is.EqualTo(map.shape));
            using var unrecorded = torch.no_grad();
            Assert.That(call(maps).requires_grad, Is.False);
        }
    }

    [TestCaseSource(nameof(Modules))]
    public void Modules_give_no_images_and_gradients_of_zero(Func<torch.nn.Module> make)
    {
        using var scope = torch.NewDisposeScope();
        using var module = make();
        var encoder = torch.rand(0, 6, 10, 14).requires_grad_();
        var decoder = torch.rand(0, 6, 5, 7).requires_grad_();
        var output = module is torch.nn.Module<torch.Tensor, torch.Tensor, torch.Tensor> guided
            ? guided.call(encoder, decoder)
            : ((torch.nn.Module<torch.Tensor, torch.Tensor>)module).call(decoder);
        Assert.That(output.shape, Is.EqualTo(new long[] { 0, 6, 10, 14 }));
        output.sum().backward();
        Assert.That(decoder.grad?.shape, Is.EqualTo(decoder.shape));
        foreach (var (name, parameter) in module.named_parameters())
        {
            Assert.That(parameter.grad, Is.Not.Null, name);
            Assert.That(parameter.grad!.shape, Is.EqualTo(parameter.shape), name);
            Assert.That(parameter.grad.abs().sum().item<float>(), Is.Zero, name);
        }
    }

    [Test]
    public void A_pyramid_gives_no_images()
    {
        using var scope = torch.NewDisposeScope();
        using var pyramid = new FeaturePyramidUpsampler(
            [4, 3], new SapaOptions { EncoderChannels = 4, DecoderChannels = 6 });
        var output = pyramid.call(torch.rand(0, 6, 3, 3), [torch.rand(0, 4, 6, 6), torch.rand(0, 3, 12, 12)]);
        Assert.That(output.shape, Is.EqualTo(new long[] { 0, 6, 12, 12 }));
    }

    [Test]
    public void Parameters_of_functions_have_gradients_of_zero([Values] bool hasNorm)
    {
        using var scope = torch.NewDisposeScope();
        var map = torch.rand(0, 4, 3, 5);
        var weight = torch.rand(6, 4).requires_grad_();
        var factor = torch.rand(4).requires_grad_();
        var output = hasNorm
            ? SapaFunctional.Projection(map, weight, null, factor, torch.zeros(4))
            : SapaFunctional.FeatureNorm(map, factor, torch.zeros(4));
        Assert.That(output.shape, Is.EqualTo(new long[] { 0, hasNorm ? 6 : 4, 3, 5 }));
        output.sum().backward();
        Assert.That(factor.grad!.abs().sum().item<float>(), Is.Zero);
        Assert.That(factor.grad.shape, Is.EqualTo(factor.shape));
        if (hasNorm)
            Assert.That(weight.grad!.shape, Is.EqualTo(weight.shape));
    }

    [Test]
    public void Channels_last_stays_channels_last()
    {
        using var scope = torch.NewDisposeScope();
        var value = torch.rand(0, 5, 7, 6).permute(0, 3, 1, 2);
        var output = SapaFunctional.Interpolate(value, 10, 14);
        Assert.That(output.shape, Is.EqualTo(new long[] { 0, 6, 10, 14 }));
        Assert.That(output.stride()[1], Is.EqualTo(1));
    }

    [Test]
    public void What_is_wrong_with_a_batch_is_wrong_without_images()
    {
        using var scope = torch.NewDisposeScope();
        var map = torch.rand(0, 4, 6, 6);
        Assert.That(
            () => SapaFunctional.WindowAttention(map, torch.rand(1, 4, 6, 6), map),
            Throws.ArgumentException.With.Message.Contains("'query'").And.Message.Contains("'key'"));
        Assert.That(
            () => SapaFunctional.WindowAttention(map, torch.rand(0, 5, 6, 6), map), Throws.ArgumentException);
        Assert.That(
            () => SapaFunctional.WindowAttention(map, map, torch.rand(0, 4, 0, 6)),
            Throws.ArgumentException.With.Message.Contains("'value'"));
        Assert.That(
            () => SapaFunctional.WindowAttention(map, map, map, new WindowAttentionOptions { Window = 4 }),
            Throws.InstanceOf<NotSupportedException>());
        Assert.That(
            () => SapaFunctional.Interpolate(map, 3, 3, (InterpolationMode)7),
            Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    private static TestCaseData Named(
        string name, long[] sizes, long[] expected, Func<torch.Tensor[], torch.Tensor> call) =>
        new TestCaseData(sizes, expected, call).SetArgDisplayNames(name);
}
