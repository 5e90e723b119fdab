namespace SapaGpu;

/// <summary>
/// What the backward of a <see cref="SapaUpsampler{T}"/> needs of the forward. It refers to encoder and decoder
/// features, which must not be changed or disposed before, and owns the embeddings and the statistics.
/// </summary>
/// <typeparam name="T">The element type.</typeparam>
public sealed class SapaContext<T> : IDisposable
    where T : unmanaged
{
    internal SapaContext(
        SapaUpsampler<T> module,
        Tensor<T> encoder,
        Tensor<T> decoder,
        Embedding<T> query,
        Embedding<T> key,
        WindowAttentionContext<T> attention)
    {
        Module = module;
        Encoder = encoder;
        Decoder = decoder;
        Query = query;
        Key = key;
        Attention = attention;
    }

    internal SapaUpsampler<T> Module { get; }

    internal Tensor<T> Encoder { get; }

    internal Tensor<T> Decoder { get; }

    internal Embedding<T> Query { get; }

    internal Embedding<T> Key { get; }

    internal WindowAttentionContext<T> Attention { get; }

    /// <summary>Releases embeddings and statistics.</summary>
    public void Dispose()
    {
        Query.Dispose();
        Key.Dispose();
        Attention.Dispose();
    }
}

/// <summary>The gradients of a <see cref="SapaUpsampler{T}"/>.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Encoder">The gradient of the encoder features, in their format.</param>
/// <param name="Decoder">The gradient of the decoder features, in their format.</param>
/// <param name="Parameters">The gradients of the parameters, by name.</param>
public sealed record SapaGradients<T>(
    Tensor<T> Encoder, Tensor<T> Decoder, IReadOnlyDictionary<string, Tensor<T>> Parameters) : IDisposable
    where T : unmanaged
{
    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        Encoder.Dispose();
        Decoder.Dispose();
        foreach (var gradient in Parameters.Values)
            gradient.Dispose();
    }
}
