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
/// none. For the formulas and the initial values see <see cref="AnyUpUpsampler{T}"/>. The responses of the features to the kernels
/// are held at once, <see cref="AnyUpOptions.FeatureKernels"/> values for each value of the features.
/// </remarks>
public sealed class AnyUpUpsampler : ImageGuidedUpsampler
{
    private const double LeastNorm = 1e-12;
    private const string Attended = "cross_decode.cross_attn";

    /// <summary>Creates the module with initial parameters, drawn from torch's generator.</summary>
    /// <param name="options">Channels, heads, window, encoders; null for the defaults.</param>
    /// <param name="device">The device of the parameters; null for the CPU.</param>
    /// <param name="dtype">The type of the parameters; null for torch's default type.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number in the options is too small.</exception>
    /// <exception cref="ArgumentException">Numbers in the options do not match each other.</exception>
    public AnyUpUpsampler(AnyUpOptions? options = null, torch.Device? device = null, torch.ScalarType? dtype = null)
        : base(nameof(AnyUpUpsampler), new AnyUpEncoder(options ?? new AnyUpOptions()), device, dtype) =>
        Options = options ?? new AnyUpOptions();

    /// <summary>Gets the options that the module was created with.</summary>
    public AnyUpOptions Options { get; }

    private protected override string FirstParameter => "image_encoder.0.weight";

    private protected override (torch.Tensor Query, torch.Tensor Key) Encode(
        torch.Tensor image, torch.Tensor features, int height, int width)
    {
        using var encoded = EncoderLayers.Chain(
            image,
            map => this.Convolve("image_encoder.0", map, mirrors: true),
            Block("image_encoder.1"),
            Block("image_encoder.2"),
            map => RotaryLayers.Learned(this.Required("rope.freqs"), map));
        var query = EncoderLayers.Chain(
            encoded,
            map => Encoder("query_encoder", map),
            map => EncoderLayers.Pool(map, height, width),
            map => this.Convolve("cross_decode.conv2d", map),
            map => Projected("norm_q", 0, map));
        using var fromImage = EncoderLayers.Chain(
            encoded,
            map => Encoder("key_encoder", map),
            map => EncoderLayers.Pool(map, features.shape[2], features.shape[3]));
        using var fromFeatures = EncoderLayers.Chain(
            features.to_type(image.dtype),
            Normalised,
            map => EncoderLayers.Unify(this.Required("key_features_encoder.0.basis"), map),
            Block("key_features_encoder.1"),
            Block("key_features_encoder.2"));
        var key = EncoderLayers.Chain(
            torch.cat([fromImage, fromFeatures], 1),
            map => this.Convolve("aggregation.0", map, mirrors: true),
            Block("aggregation.1"),
            Block("aggregation.2"),
            map => Projected("norm_k", 1, map));
        return (query, key);
    }

    private static torch.Tensor Normalised(torch.Tensor features)
    {
        using var scope = torch.NewDisposeScope();
        return (features / features.norm(1, keepdim: true).clamp_min(LeastNorm)).MoveToOuterDisposeScope();
    }

    private torch.Tensor Encoder(string name, torch.Tensor map) => EncoderLayers.Chain(
        map, input => this.Convolve($"{name}.0", input), Block($"{name}.1"), Block($"{name}.2"));

    private Func<torch.Tensor, torch.Tensor> Block(string name) =>
        map => this.ResidualBlock(name, map, Options.NormGroups, Options.Epsilon);

    // RMSNorm, and a third of the stacked projections: queries, then keys; the last, of values, is never applied.
    private torch.Tensor Projected(string norm, int place, torch.Tensor map)
    {
        using var scope = torch.NewDisposeScope();
        long channels = Options.Channels;
        var weight = this.Required($"{Attended}.attention.in_proj_weight").narrow(0, place * channels, channels);
        var bias = this.Required($"{Attended}.attention.in_proj_bias").narrow(0, place * channels, channels);
        var normalised = this.RootMeanSquareNorm($"{Attended}.{norm}", map, Options.RootMeanSquareEpsilon);
        return torch.nn.functional.conv2d(normalised, weight.reshape(channels, channels, 1, 1), bias)
            .MoveToOuterDisposeScope();
    }
}
