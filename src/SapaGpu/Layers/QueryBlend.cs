using SapaGpu.Launch;

namespace SapaGpu.Layers;

/// <summary>
/// Queries made of a part of the encoder and a part of the decoder, gated or simply added; the decoder's part is that of
/// the cell which a query belongs to.
/// </summary>
internal static class QueryBlend
{
    public static Tensor<T> Forward<T>(Tensor<T> encoder, Tensor<T> decoder, Tensor<T>? gate)
        where T : unmanaged
    {
        var query = Embedder.CreateValues(encoder, encoder.Shape.Channels);
        QueryBlendKernels.For(encoder.ElementType).Forward(encoder, decoder, gate, query);
        return query;
    }

    /// <summary>The gradients of both parts and of the gate; without one, the encoder's is that of the query.</summary>
    public static void Backward<T>(
        Tensor<T> encoder,
        Tensor<T> decoder,
        Tensor<T>? gate,
        Tensor<T> gradQuery,
        Tensor<T>? gradEncoder,
        Tensor<T> gradDecoder,
        Tensor<T>? gradGate)
        where T : unmanaged =>
        QueryBlendKernels.For(encoder.ElementType).Backward(
            encoder, decoder, gate, gradQuery, gradEncoder, gradDecoder, gradGate);
}
