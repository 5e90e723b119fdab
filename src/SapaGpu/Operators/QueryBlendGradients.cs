namespace SapaGpu;

/// <summary>The gradients of a blended query.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Encoder">
/// The gradient of the encoder part, [B, D, OH, OW], in its format; null without a gate, where it equals the gradient
/// of the query.
/// </param>
/// <param name="Decoder">The gradient of the decoder part, [B, D, H, W], in its format.</param>
/// <param name="Gate">The gradient of the gate, [B, 1, H, W], in its format; null without a gate.</param>
public sealed record QueryBlendGradients<T>(
    FeatureMap<T>? Encoder, FeatureMap<T>? Decoder, FeatureMap<T>? Gate) : IDisposable
    where T : unmanaged
{
    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        Encoder?.Dispose();
        Decoder?.Dispose();
        Gate?.Dispose();
    }
}
