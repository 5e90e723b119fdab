using SapaGpu.TorchSharp;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace SapaGpu.Segmentation;

/// <summary>CARAFE, which predicts its kernels from the decoder; the guide is not used.</summary>
internal sealed class CarafeUpsampler : Module<torch.Tensor, torch.Tensor, torch.Tensor>
{
    private readonly CarafeUpsample carafe;

    public CarafeUpsampler(int channels, int window)
        : base(nameof(CarafeUpsampler))
    {
        carafe = new CarafeUpsample(new CarafeOptions
        {
            Channels = channels,
            CompressedChannels = channels,
            Window = window,
        });
        RegisterComponents();
    }

    public override torch.Tensor forward(torch.Tensor guide, torch.Tensor decoder) => carafe.call(decoder);
}
