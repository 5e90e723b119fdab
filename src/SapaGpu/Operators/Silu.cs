using SapaGpu.Launch;
using SapaGpu.Maps;

namespace SapaGpu.Operators;

/// <summary>SiLU, x·sigmoid(x) (Elfwing et al., arXiv 1702.03118), on maps of one shape.</summary>
internal static class Silu
{
    public static void Forward(FeatureMap input, FeatureMap output)
    {
        using var call = Operands.Hold(input, output);
        EncodingKernels.For(input).Activate(input, output);
    }

    public static void Backward(FeatureMap input, FeatureMap gradOutput, FeatureMap gradInput)
    {
        using var call = Operands.Hold(input, gradOutput, gradInput);
        EncodingKernels.For(input).ActivateBackward(input, gradOutput, gradInput);
    }
}
