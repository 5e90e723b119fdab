namespace SapaGpu;

/// <summary>The gradients of deformable attention; those that were not requested are null.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Query">The gradient of the query, [B, G·D, OH, OW], in its format.</param>
/// <param name="Key">The gradient of the key, [B, G·D, H, W], in its format.</param>
/// <param name="Value">The gradient of the value, [B, G·C, H, W], in its format.</param>
/// <param name="Offsets">The gradient of the offsets, [B, G·P·2, OH, OW], in their format.</param>
public sealed record DeformableAttentionGradients<T>(
    FeatureMap<T>? Query, FeatureMap<T>? Key, FeatureMap<T>? Value, FeatureMap<T>? Offsets) : IDisposable
    where T : unmanaged
{
    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        Query?.Dispose();
        Key?.Dispose();
        Value?.Dispose();
        Offsets?.Dispose();
    }
}
