using SapaGpu.TorchSharp;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace SapaGpu.Segmentation;

/// <summary>The upsamplers that weight windows or points of the decoder.</summary>
internal static class WindowUpsamplers
{
    /// <summary>The width of the windows in the papers.</summary>
    public const int PapersWindow = 5;

    // The papers compare 256 channels in 64; the networks here have 16 to 64.
    private const int Embedding = 32;
    private const int Groups = 4;

    /// <summary>The upsampler of a kind; its arguments are the guide and the decoder.</summary>
    public static Module<torch.Tensor, torch.Tensor, torch.Tensor> Create(
        UpsamplingOperator kind, int channels, int window) => kind switch
        {
            UpsamplingOperator.Carafe => new CarafeUpsampler(channels, window),
            UpsamplingOperator.SapaInnerProduct => Sapa(Similarity.InnerProduct, channels, window),
            UpsamplingOperator.SapaBilinear => Comparing(Sapa(Similarity.Bilinear, channels, window), channels),
            UpsamplingOperator.SapaGated => Comparing(Sapa(Similarity.GatedBilinear, channels, window), channels),
            UpsamplingOperator.SapaDeformable => Comparing(
                new SapaDeformableUpsample(new SapaDeformableOptions
                {
                    EncoderChannels = channels,
                    DecoderChannels = channels,
                    Groups = Groups,
                    EmbeddingChannels = Embedding / Groups,
                }),
                channels),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "This upsampler weights no window."),
        };

    private static SapaUpsample Sapa(Similarity similarity, int channels, int window) => new(new SapaOptions
    {
        Window = window,
        EncoderChannels = channels,
        DecoderChannels = channels,
        EmbeddingChannels = Embedding,
        Similarity = similarity,
    });

    // The authors' deviation of 0.02 is made for 256 channels: with few of them all similarities begin at zero, every
    // window is averaged, and a short training does not get away from there. This is the deviation of torch's linear
    // layers.
    private static TModule Comparing<TModule>(TModule module, int channels)
        where TModule : Module
    {
        double deviation = 1 / Math.Sqrt(3.0 * channels);
        foreach (var (name, parameter) in module.named_parameters())
        {
            if (name is "q.weight" or "qy.weight" or "qx.weight" or "k.weight")
                init.normal_(parameter, 0, deviation);
        }
        return module;
    }
}
