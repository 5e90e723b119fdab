using SapaGpu.Layers;

namespace SapaGpu;

/// <summary>
/// What the backward of a <see cref="SapaUpsampler{T}"/> needs of the forward. It refers to encoder and decoder
/// features, which must not be changed or disposed before, and owns what was computed from them.
/// </summary>
/// <typeparam name="T">The element type.</typeparam>
public sealed class SapaContext<T> : IDisposable
    where T : unmanaged
{
    private readonly IDisposable[] owned;

    internal SapaContext(
        SapaUpsampler<T> module, FeatureMap<T> encoder, FeatureMap<T> decoder, params IDisposable?[] owned)
    {
        Module = module;
        Encoder = encoder;
        Decoder = decoder;
        this.owned = [.. owned.OfType<IDisposable>()];
    }

    internal SapaUpsampler<T> Module { get; }

    internal FeatureMap<T> Encoder { get; }

    internal FeatureMap<T> Decoder { get; }

    internal Embedding<T> EncoderEmbedding { get; init; } = null!;

    internal Embedding<T> DecoderEmbedding { get; init; } = null!;

    /// <summary>Gets the decoder's part of a blended query.</summary>
    internal FeatureMap<T>? DecoderQuery { get; init; }

    internal FeatureMap<T>? Gate { get; init; }

    internal WindowAttentionContext<T> Attention { get; init; } = null!;

    /// <summary>Releases what the context owns.</summary>
    public void Dispose()
    {
        foreach (var item in owned)
            item.Dispose();
    }
}

/// <summary>The gradients of an upsampling module that has a guide.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Encoder">The gradient of the encoder features, in their format.</param>
/// <param name="Decoder">The gradient of the decoder features, in their format.</param>
/// <param name="Parameters">The gradients of the parameters, in the order of the module's parameters.</param>
public sealed record SapaGradients<T>(FeatureMap<T> Encoder, FeatureMap<T> Decoder, IReadOnlyList<Parameter> Parameters)
    : IDisposable
    where T : unmanaged
{
    /// <summary>Finds the gradient of a parameter by its name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Parameter this[string name] =>
        Parameters.FirstOrDefault(parameter => parameter.Name == name)
            ?? throw new KeyNotFoundException($"There is no gradient of a parameter '{name}'.");

    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        Encoder.Dispose();
        Decoder.Dispose();
        foreach (var gradient in Parameters)
            gradient.Value.Dispose();
    }
}
