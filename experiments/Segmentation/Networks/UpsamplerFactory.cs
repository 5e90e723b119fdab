using TorchSharp;
using static TorchSharp.torch.nn;

namespace SapaGpu.Segmentation;

/// <summary>Makes upsamplers by two for a guide and a decoder of equally many channels.</summary>
internal static class UpsamplerFactory
{
    /// <summary>The upsampler of a kind; its arguments are the guide and the decoder.</summary>
    public static Module<torch.Tensor, torch.Tensor, torch.Tensor> Create(
        UpsamplingOperator kind, int channels, int window) => kind switch
        {
            UpsamplingOperator.Nearest => new InterpolationUpsampler(torch.InterpolationMode.Nearest),
            UpsamplingOperator.Bilinear => new InterpolationUpsampler(torch.InterpolationMode.Bilinear),
            UpsamplingOperator.PixelShuffle => new PixelShuffleUpsampler(channels),
            _ => WindowUpsamplers.Create(kind, channels, window),
        };
}
