namespace SapaGpu;

/// <summary>
/// The parameters of a <see cref="PointwiseProjection"/>, or their gradients: float64 for maps of float64, float32 for
/// all others. The matrix may be a view, such as some columns of a larger one.
/// </summary>
/// <param name="Weight">The matrix, [O, I, 1, 1].</param>
/// <param name="Bias">The bias, [1, O, 1, 1]; null for none.</param>
/// <param name="NormWeight">The weight (factor) of LayerNorm, [1, I, 1, 1]; null for no normalisation.</param>
/// <param name="NormBias">The bias (offset) of LayerNorm, [1, I, 1, 1]; null for no normalisation.</param>
/// <param name="Epsilon">The number that LayerNorm adds to the variance.</param>
public readonly record struct ProjectionWeights(
    FeatureMap Weight, FeatureMap? Bias, FeatureMap? NormWeight =
        null, FeatureMap? NormBias = null, double Epsilon = 0);
