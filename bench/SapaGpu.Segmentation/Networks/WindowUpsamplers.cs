using SapaGpu.TorchSharp;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace SapaGpu.Segmentation;

/// <summary>The upsamplers that weight windows or points of the decoder.</summary>
internal static class WindowUpsamplers
{
    // The papers compare 256 channels in 64; the networks here have 16 to 64.
    private const int Embedding = 32;
    private const int Groups = 4;

    /// <summary>The upsampler of a kind; its arguments are the guide and the decoder.</summary>
    public static Module<torch.Tensor, torch.Tensor, torch.Tensor> Create(UpsamplingOperator kind, int channels) => kind switch
    {
        UpsamplingOperator.Carafe => new CarafeUpsampler(channels),
        UpsamplingOperator.SapaInnerProduct => Sapa(Similarity.InnerProduct, channels),
        UpsamplingOperator.SapaBilinear => Sapa(Similarity.Bilinear, channels),
        UpsamplingOperator.SapaGated => Sapa(Similarity.GatedBilinear, channels),
        UpsamplingOperator.SapaDeformable => new SapaDeformableUpsample(new DeformableUpsamplerOptions
        {
            EncoderChannels = channels,
            DecoderChannels = channels,
            Groups = Groups,
            EmbeddingChannels = Embedding / Groups,
        }),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "This upsampler weights no window."),
    };

    private static SapaUpsample Sapa(Similarity similarity, int channels) => new(new SapaOptions
    {
        EncoderChannels = channels,
        DecoderChannels = channels,
        EmbeddingChannels = Embedding,
        Similarity = similarity,
    });
}
