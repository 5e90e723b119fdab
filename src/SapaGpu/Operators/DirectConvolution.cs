using SapaGpu.Launch;
using SapaGpu.Maps;

namespace SapaGpu.Operators;

/// <summary>
/// A convolution that keeps the size of a map, in one pass over it, on devices that run vector programs; optionally of
/// SiLU(GroupNorm(input)), which is never written.
/// </summary>
/// <param name="weight">The weight, [O, I, K, K], K odd.</param>
/// <param name="bias">The bias, [1, O, 1, 1]; null for none.</param>
/// <param name="dilation">The distance of taps.</param>
/// <param name="mirrors">Whether the border is mirrored; otherwise the map is 0 outside.</param>
internal readonly struct DirectConvolution(FeatureMap weight, FeatureMap? bias, int dilation, bool mirrors)
{
    private readonly ConvolutionWeights weights = new(weight, bias, dilation, mirrors);

    /// <summary>Whether a device has it.</summary>
    public static bool Runs(ComputeDevice device) => device.RunsVectorPrograms;

    /// <summary>The convolution of a map.</summary>
    public void Forward(FeatureMap input, FeatureMap output)
    {
        using var call = Operands.Hold(weights.Weight, weights.Bias, input, output);
        ConvolutionKernels.For(input).Forward(in weights, null, input, null, output);
    }

    /// <summary>The convolution of SiLU(GroupNorm(input)), added to a map if there is one.</summary>
    /// <param name="groups">The groups of the norm.</param>
    /// <param name="normWeight">Its weight, [1, I, 1, 1].</param>
    /// <param name="normBias">Its bias, [1, I, 1, 1].</param>
    /// <param name="statistics">Its statistics, [B, 2·groups, 1, 1].</param>
    /// <param name="input">The input, [B, I, H, W].</param>
    /// <param name="initial">What is added, [B, O, H, W]; null for nothing.</param>
    /// <param name="output">Where the output is written, [B, O, H, W].</param>
    public void ForwardOfNormSilu(
        int groups,
        FeatureMap normWeight,
        FeatureMap normBias,
        FeatureMap statistics,
        FeatureMap input,
        FeatureMap? initial,
        FeatureMap output)
    {
        using var call = Operands.Hold(
            weights.Weight, weights.Bias, normWeight, normBias, statistics, input, initial, output);
        var activation = new NormSiluOperands(groups, normWeight, normBias, statistics);
        ConvolutionKernels.For(input).Forward(in weights, activation, input, initial, output);
    }

    /// <summary>
    /// The gradient of the input, without activation; where the border is mirrored, that of the input with its border.
    /// </summary>
    public void Backward(FeatureMap gradOutput, FeatureMap gradInput)
    {
        using var call = Operands.Hold(weights.Weight, gradOutput, gradInput);
        ConvolutionKernels.For(gradOutput).Backward(in weights, gradOutput, gradInput);
    }
}
