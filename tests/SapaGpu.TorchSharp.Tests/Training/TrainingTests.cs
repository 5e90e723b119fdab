using NUnit.Framework;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests.Training;

/// <summary>Training through the kernels is training through the composition, step by step.</summary>
[TestFixture]
public sealed class TrainingTests
{
    [Test]
    public void Steps_of_an_optimiser_are_those_of_the_composition([Values("sgd", "adam")] string optimiser)
    {
        using var scope = torch.NewDisposeScope();
        torch.manual_seed(7);
        var options = new SapaOptions { EncoderChannels = 6, DecoderChannels = 8, EmbeddingChannels = 16 };
        using var module = new SapaUpsample(options, dtype: torch.float64);
        using var composed = new SapaUpsample(options, dtype: torch.float64);
        composed.LoadCheckpoint(module.ToStateDict());
        using var own = Create(optimiser, module);
        using var expected = Create(optimiser, composed);
        var (encoder, decoder) = (torch.randn(2, 6, 12, 16, torch.float64), torch.randn(2, 8, 6, 8, torch.float64));
        var target = torch.randn(2, 8, 12, 16, torch.float64);
        double firstLoss = 0;
        double lastLoss = 0;
        for (int step = 0; step < 10; step++)
        {
            using var inner = torch.NewDisposeScope();
            lastLoss = Step(own, module.call(encoder, decoder));
            double loss = Step(expected, Composition.SapaBilinear(composed, encoder, decoder));
            Assert.That(lastLoss, Is.EqualTo(loss).Within(1e-12), $"loss of step {step}");
            if (step == 0)
                firstLoss = loss;
        }
        Assert.That(lastLoss, Is.LessThan(firstLoss));
        foreach (var (name, parameter) in module.named_parameters())
        {
            // Adam divides gradients of rounding size by their own size, which makes steps of them.
            double tolerance = optimiser == "adam" && name == "k.bias" ? double.PositiveInfinity : 1e-9;
            Assert.That(
                (parameter - composed.get_parameter(name)!).abs().max().item<double>(), Is.LessThan(tolerance), name);
        }

        double Step(torch.optim.Optimizer by, torch.Tensor output)
        {
            by.zero_grad();
            var loss = torch.nn.functional.mse_loss(output, target);
            loss.backward();
            by.step();
            return loss.item<double>();
        }
    }

    private static torch.optim.Optimizer Create(string name, torch.nn.Module module) => name == "sgd"
        ? torch.optim.SGD(module.parameters(), 0.1, momentum: 0.9)
        : torch.optim.Adam(module.parameters(), 0.01);
}
