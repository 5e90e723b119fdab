using NUnit.Framework;
using TorchSharp;

namespace SapaGpu.Segmentation.Tests;

[TestFixture]
internal sealed class NetworkTests
{
    private const int Classes = 3;

    [Test]
    public void Networks_differ_in_nothing_but_the_upsampler([Values] bool hasLaterals)
    {
        using var scope = torch.NewDisposeScope();
        var first = Weights(UpsamplingOperator.Bilinear, hasLaterals, seed: 5);
        var second = Weights(UpsamplingOperator.PixelShuffle, hasLaterals, seed: 5);
        var other = Weights(UpsamplingOperator.Bilinear, hasLaterals, seed: 6);
        Assert.That(
            first.Keys, Is.EqualTo(second.Keys.Where(name => !name.Contains("upsampler", StringComparison.Ordinal))));
        foreach (var (name, weight) in first)
            Assert.That(weight.equal(second[name]).all().item<bool>(), Is.True, name);
        Assert.That(first["classifier.weight"].equal(other["classifier.weight"]).all().item<bool>(), Is.False);
    }

    [Test]
    public void Scores_have_the_size_of_the_image([Values] bool hasLaterals)
    {
        using var scope = torch.NewDisposeScope();
        using var network = new SegmentationNetwork(
            Classes, UpsamplingOperator.SapaBilinear, hasLaterals, seed: 0, WindowUpsamplers.PapersWindow);
        var images = torch.rand(2, 3, 32, 48);
        Assert.That(network.call(images).shape, Is.EqualTo(new long[] { 2, Classes, 32, 48 }));
        Assert.That(network.Features(images).shape[2..], Is.EqualTo(new long[] { 16, 24 }));
        Assert.That(network.UpsamplerParameters, Is.GreaterThan(0).And.LessThan(network.Parameters));
    }

    private static Dictionary<string, torch.Tensor> Weights(UpsamplingOperator kind, bool hasLaterals, int seed)
    {
        using var network = new SegmentationNetwork(Classes, kind, hasLaterals, seed, WindowUpsamplers.PapersWindow);
        return network.named_parameters().ToDictionary(named => named.name, named => named.parameter.detach().clone());
    }
}
