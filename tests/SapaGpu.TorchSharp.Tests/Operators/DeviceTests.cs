using NUnit.Framework;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests.Operators;

/// <summary>The devices of torch that the operators run on, and what is said of the others.</summary>
[TestFixture]
public sealed class DeviceTests
{
    private static torch.Device Gpu => new(DeviceType.CUDA, 0);

    [Test]
    public void A_machine_without_a_gpu_says_so()
    {
        if (ComputeDevice.WhyUnavailable(DeviceKind.Cuda) is not { } reason)
        {
            Assert.Ignore("There is a GPU.");
            return;
        }
        for (int i = 0; i < 2; i++)
        {
            Assert.That(
                () => TorchDevices.Of(Gpu),
                Throws.InstanceOf<NotSupportedException>()
                    .With.Message.Contains("cuda:0").And.Message.Contains("cpu()").And.Message.Contains(reason));
        }
    }

    [Test]
    public void A_gpu_is_opened_once_in_the_context_of_torch()
    {
        if (ComputeDevice.WhyUnavailable(DeviceKind.Cuda) is { } reason)
            Assert.Ignore(reason);
        var device = TorchDevices.Of(Gpu);
        Assert.That(device.Kind, Is.EqualTo(DeviceKind.Cuda));
        Assert.That(device.Options.UsesPrimaryContext);
        Assert.That(TorchDevices.Of(Gpu), Is.SameAs(device));
    }

    [Test]
    public void Tensors_of_a_gpu_are_computed_in_place()
    {
        if (!torch.cuda.is_available())
            Assert.Ignore("This libtorch has no GPU.");
        using var query = torch.randn(1, 4, 12, 12);
        using var key = torch.randn(1, 4, 6, 6);
        using var value = torch.randn(1, 8, 6, 6);
        using var expected = SapaFunctional.WindowAttention(query, key, value);
        using var remoteQuery = query.cuda().requires_grad_();
        using var output = SapaFunctional.WindowAttention(remoteQuery, key.cuda(), value.cuda());
        Assert.That(output.device_type, Is.EqualTo(DeviceType.CUDA));
        Assert.That(torch.allclose(output.cpu(), expected, 1e-4, 1e-5));
        output.sum().backward();
        using var localQuery = query.clone().requires_grad_();
        SapaFunctional.WindowAttention(localQuery, key, value).sum().backward();
        Assert.That(torch.allclose(remoteQuery.grad!.cpu(), localQuery.grad!, 1e-4, 1e-5));
    }

    [Test]
    public void Other_devices_are_refused() => Assert.That(
        () => TorchDevices.Of(new torch.Device(DeviceType.META)),
        Throws.InstanceOf<NotSupportedException>().With.Message.Contains("meta").And.Message.Contains("cpu()"));
}
