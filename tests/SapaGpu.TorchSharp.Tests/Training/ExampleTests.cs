using NUnit.Framework;
using static TorchSharp.torch;

namespace SapaGpu.TorchSharp.Tests.Training;

/// <summary>The example of the documentation learns what it is given.</summary>
[TestFixture]
public sealed class ExampleTests
{
    [Test]
    public void The_example_trains()
    {
        using var all = NewDisposeScope();
        manual_seed(8);
        var (encoder, decoder, target) = (randn(2, 64, 16, 16), randn(2, 128, 8, 8), randn(2, 128, 16, 16) * 0.1);

        using var up = new SapaUpsample(new SapaGpu.SapaOptions { EncoderChannels = 64, DecoderChannels = 128 });
        using var optimiser = optim.AdamW(up.parameters(), 1e-3);
        var losses = new List<float>();
        for (int step = 0; step < 30; step++)
        {
            using var scope = NewDisposeScope();
            optimiser.zero_grad();
            var loss = nn.functional.mse_loss(up.call(encoder, decoder), target);
            loss.backward();
            optimiser.step();
            losses.Add(loss.item<float>());
        }

        Assert.That(losses[^1], Is.LessThan(losses[0]));
    }
}
