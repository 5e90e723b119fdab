using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace SapaGpu.Segmentation;

/// <summary>
/// An encoder with features at strides 2, 4, 8 and 16, three upsamplers back to stride 2, and a classifier there.
/// Class scores are interpolated to the size of the image.
/// </summary>
internal sealed class SegmentationNetwork : Module<torch.Tensor, torch.Tensor>
{
    /// <summary>Sides of an image must be multiples of it.</summary>
    public const int CoarsestStride = 16;

    private const int ImageChannels = 3;
    private static readonly int[] Widths = [16, 32, 64, 128];

    private readonly ModuleList<EncoderStage> encoder;
    private readonly ModuleList<DecoderStage> decoder;
    private readonly Conv2d classifier;

    /// <summary>Builds a network.</summary>
    /// <param name="classes">How many classes it tells apart.</param>
    /// <param name="kind">What upsamples.</param>
    /// <param name="hasLaterals">Whether encoder features are added after every upsampling.</param>
    /// <param name="seed">What the first weights are drawn with.</param>
    /// <param name="window">The width of the upsampler's windows, if it has them.</param>
    public SegmentationNetwork(int classes, UpsamplingOperator kind, bool hasLaterals, int seed, int window)
        : base(nameof(SegmentationNetwork))
    {
        encoder = ModuleList(Enumerable.Range(0, Widths.Length).Select(i => ComponentSeed.Build(
            seed, $"encoder/{i}", () => new EncoderStage(
                i == 0 ? ImageChannels : Widths[i - 1], Widths[i]))).ToArray());
        decoder = ModuleList(Enumerable.Range(0, Widths.Length - 1).Reverse().Select(i =>
            new DecoderStage(Widths[i + 1], Widths[i], kind, window, hasLaterals, seed, $"decoder/{i}")).ToArray());
        classifier = ComponentSeed.Build(seed, "classifier", () => Conv2d(Widths[0], classes, kernel_size: 1));
        RegisterComponents();
    }

    /// <summary>Gets the trained numbers.</summary>
    public long Parameters => parameters().Sum(parameter => parameter.numel());

    /// <summary>Gets the trained numbers of the upsamplers.</summary>
    public long UpsamplerParameters => decoder.Sum(stage => stage.UpsamplerParameters);

    /// <summary>The upsampled features at stride 2, which the classifier sees.</summary>
    public torch.Tensor Features(torch.Tensor images)
    {
        using var scope = torch.NewDisposeScope();
        var guides = new List<torch.Tensor>();
        var current = images;
        foreach (var stage in encoder)
        {
            current = stage.call(current);
            guides.Add(current);
        }
        for (int i = 0; i < decoder.Count; i++)
            current = decoder[i].call(guides[^(i + 2)], current);
        return current.MoveToOuterDisposeScope();
    }

    /// <summary>The scores of the classes for every pixel, [B, classes, H, W].</summary>
    public override torch.Tensor forward(torch.Tensor images)
    {
        using var features = Features(images);
        using var scores = classifier.call(features);
        return functional.interpolate(
            scores, [images.shape[2], images.shape[3]], mode: torch.InterpolationMode.Bilinear, align_corners: false);
    }
}
