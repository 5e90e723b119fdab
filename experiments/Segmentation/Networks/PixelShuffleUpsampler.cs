using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace SapaGpu.Segmentation;

/// <summary>
/// A 3×3 convolution to four times the channels, which become places (Shi et al., CVPR 2016); the guide is not used.
/// </summary>
internal sealed class PixelShuffleUpsampler : Module<torch.Tensor, torch.Tensor, torch.Tensor>
{
    private const int Scale = 2;
    private readonly Conv2d expansion;

    public PixelShuffleUpsampler(int channels)
        : base(nameof(PixelShuffleUpsampler))
    {
        expansion = Conv2d(channels, Scale * Scale * channels, kernel_size: 3, padding: 1);
        RegisterComponents();
    }

    public override torch.Tensor forward(torch.Tensor guide, torch.Tensor decoder)
    {
        using var places = expansion.call(decoder);
        return functional.pixel_shuffle(places, Scale);
    }
}
