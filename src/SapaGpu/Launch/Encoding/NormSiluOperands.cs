namespace SapaGpu.Launch;

/// <summary>GroupNorm, whose statistics are known, followed by SiLU.</summary>
/// <param name="Groups">The groups.</param>
/// <param name="Weight">The weight (factor), [1, C, 1, 1].</param>
/// <param name="Bias">The bias (offset), [1, C, 1, 1].</param>
/// <param name="Statistics">Mean and reciprocal deviation of every group, [B, 2·groups, 1, 1].</param>
internal readonly record struct NormSiluOperands(int Groups, FeatureMap Weight, FeatureMap Bias, FeatureMap Statistics);
