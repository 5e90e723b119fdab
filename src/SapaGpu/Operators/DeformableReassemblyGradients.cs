namespace SapaGpu;

/// <summary>The gradients of deformable reassembly; those that were not requested are null.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Weights">The gradient of the weights, [B, G·P, OH, OW], in their format.</param>
/// <param name="Value">The gradient of the value, [B, G·C, H, W], in its format.</param>
/// <param name="Offsets">The gradient of the offsets, [B, G·P·2, OH, OW], in their format.</param>
public sealed record DeformableReassemblyGradients<T>(
    FeatureMap<T>? Weights, FeatureMap<T>? Value, FeatureMap<T>? Offsets) : IDisposable
    where T : unmanaged
{
    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        Weights?.Dispose();
        Value?.Dispose();
        Offsets?.Dispose();
    }
}
