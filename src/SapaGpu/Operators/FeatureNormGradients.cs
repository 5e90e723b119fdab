namespace SapaGpu;

/// <summary>The gradients of a feature normalisation; <see cref="FeatureNorm"/> computes all of them.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Input">The gradient of the input, [B, C, H, W], in its format.</param>
/// <param name="Weight">The gradient of the weight, [1, C, 1, 1].</param>
/// <param name="Bias">The gradient of the bias, [1, C, 1, 1].</param>
public sealed record FeatureNormGradients<T>(FeatureMap<T>? Input, FeatureMap? Weight, FeatureMap? Bias) : IDisposable
    where T : unmanaged
{
    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        Input?.Dispose();
        Weight?.Dispose();
        Bias?.Dispose();
    }
}
