namespace SapaGpu;

/// <summary>The gradients of a pointwise projection; those that were not requested are null.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Input">The gradient of the input, [B, I, H, W], in its format.</param>
/// <param name="Parameters">
/// The gradients of all parameters of the forward, in their shapes; <see cref="ProjectionWeights.Epsilon"/> is unused.
/// </param>
public sealed record PointwiseProjectionGradients<T>(FeatureMap<T>? Input, ProjectionWeights? Parameters) : IDisposable
    where T : unmanaged
{
    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        Input?.Dispose();
        if (Parameters is not { } gradients)
            return;
        gradients.Weight?.Dispose();
        gradients.Bias?.Dispose();
        gradients.NormWeight?.Dispose();
        gradients.NormBias?.Dispose();
    }
}
