namespace SapaGpu.Launch;

/// <summary>The parameters of a convolution that keeps the size of a map.</summary>
/// <param name="Weight">The weight, [O, I, K, K].</param>
/// <param name="Bias">The bias, [1, O, 1, 1]; null for none.</param>
/// <param name="Dilation">The distance of taps.</param>
/// <param name="Mirrors">Whether the border is mirrored; otherwise the map is 0 outside.</param>
internal readonly record struct ConvolutionWeights(FeatureMap Weight, FeatureMap? Bias, int Dilation, bool Mirrors)
{
    /// <summary>Gets K.</summary>
    public int Kernel => Weight.Shape.Height;
}
