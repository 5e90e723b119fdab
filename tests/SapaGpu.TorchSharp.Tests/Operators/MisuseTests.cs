using NUnit.Framework;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests.Operators;

/// <summary>Errors that name the function and the operand.</summary>
[TestFixture]
public sealed class MisuseTests
{
    private torch.Tensor map = null!;

    [SetUp]
    public void Create() => map = torch.randn(1, 4, 6, 6);

    [TearDown]
    public void Dispose() => map.Dispose();

    [Test]
    public void Dimensions() => Assert.That(
        () => SapaFunctional.WindowAttention(map, map[0], map),
        Throws.ArgumentException.With.Message.Contains("WindowAttention: expected 'key' to have 4 dimensions"));

    [Test]
    public void Types() => Assert.That(
        () => SapaFunctional.WindowAttention(map, map, map.to_type(torch.int64)),
        Throws.ArgumentException.With.Message.Contains("'value'").And.Message.Contains("Int64"));

    [Test]
    public void Empty_maps() => Assert.That(
        () => SapaFunctional.WindowSimilarity(map, map.slice(2, 0, 0, 1)),
        Throws.ArgumentException.With.Message.Contains("'key'"));

    [Test]
    public void Missing_maps() => Assert.That(
        () => SapaFunctional.WindowReassembly(null!, map),
        Throws.ArgumentNullException.With.Message.Contains("weights"));

    [Test]
    public void Windows() => Assert.That(
        () => SapaFunctional.WindowAttention(map, map, map, new WindowAttentionOptions { Window = 4 }),
        Throws.InstanceOf<NotSupportedException>().With.Message.Contains("odd"));

    [Test]
    public void Parameters() => Assert.That(
        () => SapaFunctional.Projection(map, torch.randn(4)),
        Throws.ArgumentException.With.Message.Contains("'weight'"));

    [Test]
    public void Parameters_of_other_channels() => Assert.That(
        () => SapaFunctional.Projection(map, torch.randn(4, 5)),
        Throws.ArgumentException.With.Message.Contains("weight"));

    [Test]
    public void Half_a_normalisation() => Assert.That(
        () => SapaFunctional.Projection(map, torch.randn(4, 4), normWeight: torch.ones(4)),
        Throws.ArgumentException.With.Message.Contains("normBias"));

    [Test]
    public void Groups() => Assert.That(
        () => SapaFunctional.FeatureNorm(map, torch.ones(4), torch.ones(4), groups: 3),
        Throws.ArgumentException.With.Message.Contains("groups"));

    [Test]
    public void Sizes() => Assert.That(
        () => SapaFunctional.Interpolate(map, 0, 4), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void Channels_of_a_module()
    {
        using var module = new SapaUpsample(new SapaOptions { EncoderChannels = 4, DecoderChannels = 5 });
        Assert.That(
            () => module.call(map, map),
            Throws.ArgumentException.With.Message.Contains("SapaUpsample: expected 'decoder'"));
    }

    [Test]
    public void Options_of_a_module() => Assert.That(
        () => new SapaUpsample(
            new SapaOptions { EncoderChannels = 4, DecoderChannels = 5, Similarity = Similarity.InnerProduct }),
        Throws.ArgumentException);

    [Test]
    public void Windows_of_a_module() => Assert.That(
        () => new CarafeUpsample(new CarafeOptions { Channels = 4, Window = 2 }),
        Throws.InstanceOf<NotSupportedException>().With.Message.Contains("odd"));

    [Test]
    public void Maps_of_a_pyramid()
    {
        using var module = new FeaturePyramidUpsampler(
            [4, 4], new SapaOptions { EncoderChannels = 4, DecoderChannels = 4 });
        Assert.That(
            () => module.call(map, [map]), Throws.ArgumentException.With.Message.Contains("2 stages"));
    }
}
