using SapaGpu.Launch;
using SapaGpu.Maps;

namespace SapaGpu.Operators;

/// <summary>Pixel shuffle (Shi et al., arXiv 1609.05158): [B, C·s², H, W] to [B, C, s·H, s·W], and back.</summary>
internal static class PixelShuffle
{
    public static void Forward(FeatureMap input, FeatureMap output, int scale)
    {
        using var call = Operands.Hold(input, output);
        ResamplingKernels.For(input).Shuffle(scale, inverse: false, input, output);
    }

    public static void Backward(FeatureMap gradOutput, FeatureMap gradInput, int scale)
    {
        using var call = Operands.Hold(gradOutput, gradInput);
        ResamplingKernels.For(gradOutput).Shuffle(scale, inverse: true, gradOutput, gradInput);
    }
}
