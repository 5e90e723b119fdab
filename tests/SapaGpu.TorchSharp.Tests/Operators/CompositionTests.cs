using NUnit.Framework;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests.Operators;

/// <summary>Values and gradients against the composition of torch's own functions.</summary>
[TestFixture]
public sealed class CompositionTests
{
    [SetUp]
    public void Seed() => torch.manual_seed(4);

    [Test]
    public void Window_attention_agrees(
        [Values(3, 5, 7)] int window, [Values(1, 4)] int heads, [Values] bool channelsLast, [Values(2.0, 2.5)] double ratio)
    {
        using var scope = torch.NewDisposeScope();
        var (height, width) = ((long)(9 * ratio), (long)(12 * ratio));
        torch.Tensor[] leaves = [Maps.Random(2, 16, height, width), Maps.Random(2, 16, 9, 12), Maps.Random(
            2, 20, 9, 12)];
        torch.Tensor[] copies = Array.ConvertAll(leaves, Maps.Copy);
        torch.Tensor[] operands = channelsLast ? Array.ConvertAll(leaves, Maps.ChannelsLast) : leaves;
        var output = SapaFunctional.WindowAttention(
            operands[0], operands[1], operands[2], new WindowAttentionOptions { Window = window, Heads = heads });
        var expected = Composition.Attention(copies[0], copies[1], copies[2], window, heads);
        var weights = torch.randn_like(expected);
        output.backward([weights]);
        expected.backward([weights]);
        Assert.That(Maps.Error(output, expected), Is.LessThan(1e-12));
        for (int i = 0; i < leaves.Length; i++)
            Assert.That(Maps.Error(leaves[i].grad, copies[i].grad), Is.LessThan(1e-11), $"gradient {i}");
    }

    [Test]
    public void Interpolation_agrees_with_torch([Values] InterpolationMode mode, [Values] bool channelsLast)
    {
        using var scope = torch.NewDisposeScope();
        var leaf = Maps.Random(2, 6, 7, 9);
        var copy = Maps.Copy(leaf);
        var output = SapaFunctional.Interpolate(channelsLast ? Maps.ChannelsLast(leaf) : leaf, 14, 18, mode);
        var expected = torch.nn.functional.interpolate(
            copy,
            [14, 18],
            mode: mode == InterpolationMode.Nearest ? torch.InterpolationMode.Nearest : torch.InterpolationMode.Bilinear,
            align_corners: mode == InterpolationMode.Nearest ? null : false);
        var weights = torch.randn_like(expected);
        output.backward([weights]);
        expected.backward([weights]);
        Assert.That(Maps.Error(output, expected), Is.LessThan(1e-12));
        Assert.That(Maps.Error(leaf.grad, copy.grad), Is.LessThan(1e-12));
        Assert.That(channelsLast, Is.EqualTo(output.stride()[1] == 1));
    }

    [Test]
    public void A_module_agrees([Values(torch.ScalarType.Float64, torch.ScalarType.Float32)] torch.ScalarType type)
    {
        using var scope = torch.NewDisposeScope();
        using var module = new SapaUpsample(
            new SapaOptions { EncoderChannels = 20, DecoderChannels = 24 }, dtype: type);
        double tolerance = type == torch.float64 ? 1e-11 : 2e-4;
        torch.Tensor[] leaves = [Maps.Random(2, 20, 16, 24, type), Maps.Random(2, 24, 8, 12, type)];
        torch.Tensor[] copies = Array.ConvertAll(leaves, Maps.Copy);
        var output = module.call(leaves[0], leaves[1]);
        var weights = torch.randn_like(output);
        output.backward([weights]);
        var gradients = module.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad!.clone());
        module.zero_grad();
        var expected = Composition.SapaBilinear(module, copies[0], copies[1]);
        expected.backward([weights]);
        Assert.That(Maps.Error(output, expected), Is.LessThan(tolerance));
        Assert.That(Maps.Error(leaves[0].grad, copies[0].grad), Is.LessThan(tolerance), "encoder");
        Assert.That(Maps.Error(leaves[1].grad, copies[1].grad), Is.LessThan(tolerance), "decoder");
        foreach (var (name, parameter) in module.named_parameters())
            Assert.That(Maps.Error(gradients[name], parameter.grad), Is.LessThan(tolerance), name);
    }
}
