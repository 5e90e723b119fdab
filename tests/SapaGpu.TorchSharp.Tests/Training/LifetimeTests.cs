using NUnit.Framework;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests.Training;

/// <summary>Nothing leaks, with scopes or without, with a backward or without.</summary>
[TestFixture]
public sealed class LifetimeTests
{
    [Test]
    public void Ten_thousand_steps_do_not_grow_the_process()
    {
        using var module = new SapaUpsample(
            new SapaOptions { EncoderChannels = 8, DecoderChannels = 8, EmbeddingChannels = 8 });
        using var optimiser = torch.optim.SGD(module.parameters(), 1e-4);
        Steps(2000);
        long before = Settled();
        long live = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Steps(8000);

        // A step that kept its graph would keep some 20 KiB, 160 MiB in all; heaps of both worlds breathe by 20.
        Assert.That(Settled() - before, Is.LessThan(48L << 20));
        Assert.That(DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount, Is.EqualTo(live));

        void Steps(int count)
        {
            for (int step = 0; step < count; step++)
            {
                using var scope = torch.NewDisposeScope();
                optimiser.zero_grad();
                module.call(torch.randn(1, 8, 16, 16), torch.randn(1, 8, 8, 8)).pow(2).mean().backward();
                optimiser.step();
            }
        }
    }

    [Test]
    public void A_graph_that_is_dropped_without_a_backward_is_released()
    {
        using var value = torch.randn(1, 64, 64, 64).requires_grad_();
        Drop(value, 50);
        long before = Settled();
        Drop(value, 500);

        // Every output is 4 MiB and what the backward would need another 64 KiB.
        Assert.That(Settled() - before, Is.LessThan(64L << 20));

        static void Drop(torch.Tensor value, int count)
        {
            for (int i = 0; i < count; i++)
            {
                using var scope = torch.NewDisposeScope();
                _ = SapaFunctional.WindowAttention(torch.randn(1, 8, 128, 128), torch.randn(1, 8, 64, 64), value);
            }
        }
    }

    // Of an image of 64x64 pixels the encoder keeps some 10 MiB for its backward.
    [Test]
    public void What_an_encoder_keeps_is_released([Values] bool isDropped)
    {
        using var module = new NafUpsampler(new NafOptions { Channels = 64, Blocks = 1 });
        Steps(3);
        long before = Settled();
        Steps(30);
        Assert.That(Settled() - before, Is.LessThan(64L << 20));

        void Steps(int count)
        {
            for (int step = 0; step < count; step++)
            {
                using var scope = torch.NewDisposeScope();
                var output = module.call(torch.rand(1, 3, 64, 64), torch.rand(1, 8, 8, 8), 64, 64);
                if (!isDropped)
                    output.sum().backward();
            }
        }
    }

    [Test]
    public void Errors_in_the_forward_hold_nothing()
    {
        using var query = torch.randn(1, 64, 128, 128).requires_grad_();
        using var key = torch.randn(1, 63, 64, 64);
        Fail(50);
        long before = Settled();
        Fail(500);
        Assert.That(Settled() - before, Is.LessThan(64L << 20));

        void Fail(int count)
        {
            for (int i = 0; i < count; i++)
            {
                using var scope = torch.NewDisposeScope();
                Assert.That(() => SapaFunctional.WindowAttention(query * 2, key, key), Throws.ArgumentException);
            }
        }
    }

    [Test]
    public void Memory_lent_to_large_tensors_comes_back_with_them()
    {
        var device = TorchDevices.Of(torch.CPU);
        long before = device.UsedBytes;
        using (var scope = torch.NewDisposeScope())
        {
            var (query, key) = (torch.randn(1, 8, 128, 128), torch.randn(1, 8, 64, 64));
            var value = torch.randn(1, 64, 64, 64).requires_grad_();
            var output = SapaFunctional.WindowAttention(query, key, value);
            Assert.That(device.UsedBytes, Is.GreaterThanOrEqualTo(before + (4L << 20)));
            output.sum().backward();
            Assert.That(value.grad!.shape, Is.EqualTo(value.shape));
        }
        SapaFunctional.WindowSimilarity(torch.randn(1, 1, 2, 2), torch.randn(1, 1, 1, 1)).Dispose();
        Assert.That(device.UsedBytes, Is.EqualTo(before));
    }

    private static long Settled()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return Environment.WorkingSet;
    }
}
