using SapaGpu.Launch;
using SapaGpu.Maps;

namespace SapaGpu.Operators;

/// <summary>
/// Average pooling to any size: output i of N is the mean over the cells from ⌊i·n/N⌋ to before ⌈(i + 1)·n/N⌉ of n. Regions may
/// overlap, and N may be larger than n.
/// </summary>
internal static class AveragePooling
{
    public static void Forward(FeatureMap input, FeatureMap output)
    {
        using var call = Operands.Hold(input, output);
        EncodingKernels.For(input).Pool(input, output);
    }

    public static void Backward(FeatureMap gradOutput, FeatureMap gradInput)
    {
        using var call = Operands.Hold(gradOutput, gradInput);
        EncodingKernels.For(gradOutput).PoolBackward(gradOutput, gradInput);
    }
}
