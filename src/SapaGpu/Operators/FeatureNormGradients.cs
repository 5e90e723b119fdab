namespace SapaGpu;

/// <summary>The gradients of a normalisation; those that were not asked for are null.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Input">The gradient of the map, [B, C, H, W], in its format.</param>
/// <param name="Weight">The gradient of the factor, [1, C, 1, 1].</param>
/// <param name="Bias">The gradient of the offset, [1, C, 1, 1].</param>
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
