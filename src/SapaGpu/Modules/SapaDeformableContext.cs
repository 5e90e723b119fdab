using SapaGpu.Layers;
using SapaGpu.Modules;

namespace SapaGpu;

/// <summary>
/// What the backward of a <see cref="SapaDeformableUpsampler{T}"/> needs from the forward. The context owns the
/// intermediate maps; it only refers to encoder and decoder features, which must not be changed or disposed before the
/// backward.
/// </summary>
/// <typeparam name="T">The element type.</typeparam>
public sealed class SapaDeformableContext<T> : IDisposable
    where T : unmanaged
{
    private readonly Lifetime lifetime;

    internal SapaDeformableContext() => lifetime = new Lifetime(Release);

    internal SapaDeformableUpsampler<T> Module { get; init; } = null!;

    internal FeatureMap<T> Encoder { get; init; } = null!;

    internal FeatureMap<T> Decoder { get; init; } = null!;

    internal Embedding<T> EncoderEmbedding { get; init; } = null!;

    internal Embedding<T> DecoderEmbedding { get; init; } = null!;

    internal FeatureMap<T> Key { get; init; } = null!;

    internal FeatureMap<T> Offsets { get; init; } = null!;

    /// <summary>
    /// Disposes the intermediate maps, after the last call that is under way; encoder and decoder features stay with the
    /// caller.
    /// </summary>
    public void Dispose() => lifetime.Dispose();

    /// <summary>Keeps the intermediate maps until the use is disposed.</summary>
    internal Lifetime.HeldLifetime Hold() => lifetime.Hold(this);

    private void Release()
    {
        EncoderEmbedding.Dispose();
        DecoderEmbedding.Dispose();
        Key.Dispose();
        Offsets.Dispose();
    }
}
