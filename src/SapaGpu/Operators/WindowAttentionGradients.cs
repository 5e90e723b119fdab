namespace SapaGpu;

/// <summary>The gradients of window attention; those that were not requested are null.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Query">The gradient of the query, [B, D, OH, OW], in its format.</param>
/// <param name="Key">The gradient of the key, [B, D, H, W], in its format.</param>
/// <param name="Value">The gradient of the value, [B, C, H, W], in its format.</param>
public sealed record WindowAttentionGradients<T>(
    FeatureMap<T>? Query, FeatureMap<T>? Key, FeatureMap<T>? Value) : IDisposable
    where T : unmanaged
{
    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        Query?.Dispose();
        Key?.Dispose();
        Value?.Dispose();
    }
}
