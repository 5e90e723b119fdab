using SapaGpu.Layers;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// AnyUp as a TorchSharp module (Wimmer et al., ICLR 2026): upsamples features of any backbone and any number of channels with an
/// image, by cross-resolution attention.
/// </summary>
/// <remarks>
/// Parameters have the names of the published module: image_encoder.0.weight and so on. The last third of
/// cross_decode.cross_attn.attention.in_proj_weight and in_proj_bias has the gradient 0, and out_proj, which has no influence either,
/// none. For the formulas and the initial values see <see cref="AnyUpUpsampler{T}"/>. Where the encoder is of torch's operators, the
/// responses of the features to the kernels are held at once, <see cref="AnyUpOptions.FeatureKernels"/> values for each value of the
/// features.
/// </remarks>
public sealed class AnyUpUpsampler : ImageGuidedUpsampler
{
    private const double LeastNorm = 1e-12;
    private const string Attended = "cross_decode.cross_attn";

    /// <summary>Creates the module with initial parameters, drawn from torch's generator.</summary>
    /// <param name="options">Channels, heads, window, encoders; null for the defaults.</param>
    /// <param name="device">The device of the parameters; null for the CPU.</param>
    /// <param name="dtype">The type of the parameters; null for torch's default type.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number in the options is too small or too large.</exception>
    /// <exception cref="ArgumentException">Numbers in the options do not match each other.</exception>
    public AnyUpUpsampler(AnyUpOptions? options = null, torch.Device? device = null, torch.ScalarType? dtype = null)
        : base(nameof(AnyUpUpsampler), new AnyUpEncoder(options ?? new AnyUpOptions()), device, dtype) =>
        Options = options ?? new AnyUpOptions();

    /// <summary>Gets the options that the module was created with.</summary>
    public AnyUpOptions Options { get; }

    private protected override (torch.Tensor Query, torch.Tensor Key) Compose(
        EncoderParameters parameters,
        torch.Tensor image,
        torch.Tensor? features,
        (long Height, long Width) size,
        int height,
        int width)
    {
        using var encoded = EncoderLayers.Chain(
            image,
            map => parameters.Convolve("image_encoder.0", map, mirrors: true),
            Block(parameters, "image_encoder.1"),
            Block(parameters, "image_encoder.2"),
            map => RotaryLayers.Learned(parameters.Required("rope.freqs"), map));
        var query = EncoderLayers.Chain(
            encoded,
            map => Encoder(parameters, "query_encoder", map),
            map => EncoderLayers.Pool(map, height, width),
            map => parameters.Convolve("cross_decode.conv2d", map),
            map => Projected(parameters, "norm_q", 0, map));
        using var fromImage = EncoderLayers.Chain(
            encoded,
            map => Encoder(parameters, "key_encoder", map),
            map => EncoderLayers.Pool(map, size.Height, size.Width));
        using var fromFeatures = EncoderLayers.Chain(
            features!,
            Normalised,
            map => EncoderLayers.Unify(parameters.Required("key_features_encoder.0.basis"), map),
            Block(parameters, "key_features_encoder.1"),
            Block(parameters, "key_features_encoder.2"));
        var key = EncoderLayers.Chain(
            torch.cat([fromImage, fromFeatures], 1),
            map => parameters.Convolve("aggregation.0", map, mirrors: true),
            Block(parameters, "aggregation.1"),
            Block(parameters, "aggregation.2"),
            map => Projected(parameters, "norm_k", 1, map));
        return (query, key);
    }

    private static torch.Tensor Normalised(torch.Tensor features)
    {
        using var scope = torch.NewDisposeScope();
        return (features / features.norm(1, keepdim: true).clamp_min(LeastNorm)).MoveToOuterDisposeScope();
    }

    private torch.Tensor Encoder(EncoderParameters parameters, string name, torch.Tensor map) => EncoderLayers.Chain(
        map, input => parameters.Convolve($"{name}.0", input), Block(parameters, $"{name}.1"), Block(parameters, $"{name}.2"));

    private Func<torch.Tensor, torch.Tensor> Block(EncoderParameters parameters, string name) =>
        map => parameters.ResidualBlock(name, map, Options.NormGroups, Options.Epsilon);

    // RMSNorm, and a third of the stacked projections: queries, then keys; the last, of values, is never applied.
    private torch.Tensor Projected(EncoderParameters parameters, string norm, int place, torch.Tensor map)
    {
        using var scope = torch.NewDisposeScope();
        long channels = Options.Channels;
        var weight = parameters.Required($"{Attended}.attention.in_proj_weight").narrow(0, place * channels, channels);
        var bias = parameters.Required($"{Attended}.attention.in_proj_bias").narrow(0, place * channels, channels);
        var normalised = parameters.RootMeanSquareNorm($"{Attended}.{norm}", map, Options.RootMeanSquareEpsilon);
        return torch.nn.functional.conv2d(normalised, weight.reshape(channels, channels, 1, 1), bias)
            .MoveToOuterDisposeScope();
    }
}
