namespace SapaGpu;

/// <summary>The gradients of cross-resolution attention; null where they were not asked for.</summary>
/// <typeparam name="T">The element type.</typeparam>
public sealed class CrossAttentionGradients<T> : IDisposable
    where T : unmanaged
{
    internal CrossAttentionGradients(
        FeatureMap<T>? output, FeatureMap<T>? query, FeatureMap<T>? key, FeatureMap<T>? value, FeatureMap<T>? keyBias)
    {
        GradOutput = output;
        Query = query;
        Key = key;
        Value = value;
        KeyBias = keyBias;
    }

    /// <summary>
    /// Gets the gradient of the gradient of the output, [B, C, OH, OW]; of
    /// <see cref="CrossAttention.DoubleBackward{T}"/> only.
    /// </summary>
    public FeatureMap<T>? GradOutput { get; }

    /// <summary>Gets the gradient of the query, [B, h·D, OH, OW].</summary>
    public FeatureMap<T>? Query { get; }

    /// <summary>Gets the gradient of the key, [B, h·D, H, W].</summary>
    public FeatureMap<T>? Key { get; }

    /// <summary>Gets the gradient of the value, [B, C, H, W].</summary>
    public FeatureMap<T>? Value { get; }

    /// <summary>Gets the gradient of the bias, [B, 1, H, W]; null if there was none.</summary>
    public FeatureMap<T>? KeyBias { get; }

    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        GradOutput?.Dispose();
        Query?.Dispose();
        Key?.Dispose();
        Value?.Dispose();
        KeyBias?.Dispose();
    }
}
