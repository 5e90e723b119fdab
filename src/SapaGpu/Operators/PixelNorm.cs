using SapaGpu.Launch;
using SapaGpu.Maps;

namespace SapaGpu.Operators;

/// <summary>
/// The division of every pixel by a norm over its channels: with a weight the root of the mean square plus epsilon (RMSNorm, Zhang
/// and Sennrich, arXiv 1910.07467), without one the Euclidean norm, at least epsilon.
/// </summary>
internal static class PixelNorm
{
    /// <summary>Returns the shape of the statistics.</summary>
    public static MapShape StatisticsShape(MapShape input) => new(input.Batch, 2, input.Height, input.Width);

    public static void Forward(
        FeatureMap? weight, double epsilon, FeatureMap input, FeatureMap output, FeatureMap statistics)
    {
        using var call = Operands.Hold(weight, input, output, statistics);
        EncodingKernels.For(input).Normalise(weight, epsilon, input, output, statistics);
    }

    public static void Backward(
        FeatureMap? weight,
        FeatureMap input,
        FeatureMap statistics,
        FeatureMap gradOutput,
        FeatureMap gradInput,
        FeatureMap? gradWeight)
    {
        using var call = Operands.Hold(weight, input, statistics, gradOutput, gradInput, gradWeight);
        EncodingKernels.For(input).NormaliseBackward(weight, input, statistics, gradOutput, gradInput, gradWeight);
    }
}
