using TorchSharp;
using static TorchSharp.torch.nn;

namespace SapaGpu.Segmentation;

/// <summary>Interpolation without weights; the guide is not used.</summary>
internal sealed class InterpolationUpsampler(torch.InterpolationMode mode)
    : Module<torch.Tensor, torch.Tensor, torch.Tensor>(nameof(InterpolationUpsampler))
{
    public override torch.Tensor forward(torch.Tensor guide, torch.Tensor decoder) => functional.interpolate(
        decoder,
        [guide.shape[2], guide.shape[3]],
        mode: mode,
        align_corners: mode == torch.InterpolationMode.Bilinear ? false : null);
}
