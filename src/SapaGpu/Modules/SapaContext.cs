using SapaGpu.Layers;
using SapaGpu.Modules;

namespace SapaGpu;

/// <summary>
/// What the backward of a <see cref="SapaUpsampler{T}"/> needs from the forward. The context owns the intermediate
/// maps; it only refers to encoder and decoder features, which must not be changed or disposed before the backward.
/// </summary>
/// <typeparam name="T">The element type.</typeparam>
public sealed class SapaContext<T> : IDisposable
    where T : unmanaged
{
    private readonly Lifetime lifetime;

    internal SapaContext(
        SapaUpsampler<T> module, FeatureMap<T> encoder, FeatureMap<T> decoder, params IDisposable?[] owned)
    {
        Module = module;
        Encoder = encoder;
        Decoder = decoder;
        lifetime = new Lifetime(() =>
        {
            foreach (var item in owned)
                item?.Dispose();
        });
    }

    internal SapaUpsampler<T> Module { get; }

    internal FeatureMap<T> Encoder { get; }

    internal FeatureMap<T> Decoder { get; }

    internal Embedding<T> EncoderEmbedding { get; init; } = null!;

    internal Embedding<T> DecoderEmbedding { get; init; } = null!;

    /// <summary>Gets the decoder part of a blended query.</summary>
    internal FeatureMap<T>? DecoderQuery { get; init; }

    internal FeatureMap<T>? Gate { get; init; }

    internal WindowAttentionContext<T> Attention { get; init; } = null!;

    /// <summary>
    /// Disposes the intermediate maps, after the last call that is under way; encoder and decoder features stay with the
    /// caller.
    /// </summary>
    public void Dispose() => lifetime.Dispose();

    /// <summary>Keeps the intermediate maps until the use is disposed.</summary>
    internal Lifetime.HeldLifetime Hold() => lifetime.Hold(this);
}

/// <summary>
/// The gradients of a <see cref="SapaUpsampler{T}"/> or a <see cref="SapaDeformableUpsampler{T}"/>.
/// </summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Encoder">The gradient of the encoder features, [B, Cy, OH, OW], in their format.</param>
/// <param name="Decoder">The gradient of the decoder features, [B, Cx, H, W], in their format.</param>
/// <param name="Parameters">The gradients of the parameters, in the order of the module's parameters.</param>
public sealed record SapaGradients<T>(FeatureMap<T> Encoder, FeatureMap<T> Decoder, IReadOnlyList<Parameter> Parameters)
    : IDisposable
    where T : unmanaged
{
    /// <summary>Gets the gradient of a parameter by its name.</summary>
    /// <param name="name">The name of the parameter, such as "q.weight".</param>
    /// <exception cref="KeyNotFoundException">
    /// No parameter has this name; the message lists the names.
    /// </exception>
    public Parameter this[string name] => Parameter.Find(Parameters, name);

    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        Encoder?.Dispose();
        Decoder?.Dispose();
        foreach (var gradient in Parameters ?? [])
            gradient?.Value?.Dispose();
    }
}
