using SapaGpu.Layers;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// SAPA as a TorchSharp module (Lu et al., NeurIPS 2022, section 4.2): SAPA-I, SAPA-B, SAPA-G or concatenation,
/// according to the options. <c>call(encoder, decoder)</c> upsamples decoder features [B, Cx, H, W] to the resolution
/// of encoder features [B, Cy, OH, OW].
/// </summary>
/// <remarks>
/// Parameters have the names of the authors' modules: norm_y, norm_x, q (qy, qx), k, v and gate, each with weight and
/// bias. For the formulas and the initial values see <see cref="SapaUpsampler{T}"/>.
/// </remarks>
public sealed class SapaUpsample : torch.nn.Module<torch.Tensor, torch.Tensor, torch.Tensor>
{
    private readonly WindowAttentionOptions attention;

    /// <summary>Creates the module with initial parameters, drawn from torch's generator.</summary>
    /// <param name="options">Similarity, channels, window, border, normalisations.</param>
    /// <param name="device">The device of the parameters; null for the CPU.</param>
    /// <param name="dtype">The type of the parameters; null for torch's default type.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A number of channels is below 1, or epsilon is negative.
    /// </exception>
    /// <exception cref="ArgumentException">The channels do not fit the similarity or the groups.</exception>
    /// <exception cref="NotSupportedException">The window is even or out of range.</exception>
    public SapaUpsample(SapaOptions options, torch.Device? device = null, torch.ScalarType? dtype = null)
        : base(nameof(SapaUpsample))
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        attention = options.Attention;
        ModuleParameters.Register(this, SapaParameters.Specs(options), device, dtype);
        RegisterComponents();
    }

    /// <summary>Creates SAPA-B with the default options, on the CPU and in torch's default type.</summary>
    /// <param name="encoderChannels">Cy, the channels of the encoder features.</param>
    /// <param name="decoderChannels">Cx, the channels of the decoder features.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public SapaUpsample(int encoderChannels, int decoderChannels)
        : this(new SapaOptions { EncoderChannels = encoderChannels, DecoderChannels = decoderChannels })
    {
    }

    /// <summary>Gets the options that the module was created with.</summary>
    public SapaOptions Options { get; }

    /// <summary>Upsamples decoder features.</summary>
    /// <param name="encoder">Encoder features, [B, Cy, OH, OW].</param>
    /// <param name="decoder">Decoder features, [B, Cx, H, W].</param>
    /// <returns>
    /// The output, [B, C, OH, OW], in the memory format of the value: that of the decoder features, or with
    /// <see cref="SapaOptions.ValueChannels"/> that of <see cref="SapaFunctional.Projection"/>.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// The channels are not those of the options, the maps do not fit each other, or the encoder map is smaller than the
    /// decoder map without <see cref="SapaOptions.AllowsDownsampling"/>.
    /// </exception>
    /// <inheritdoc cref="SapaFunctional.WindowAttention" path="/exception[not(@cref='T:System.ArgumentException')]"/>
    public override torch.Tensor forward(torch.Tensor encoder, torch.Tensor decoder)
    {
        ChannelChecks.Require(this, nameof(encoder), encoder, Options.EncoderChannels);
        ChannelChecks.Require(this, nameof(decoder), decoder, Options.DecoderChannels);
        GuideSizeCheck.Require(
            Options,
            (encoder.shape[2], encoder.shape[3]),
            (decoder.shape[2], decoder.shape[3]),
            $"encoder: [{string.Join(", ", encoder.shape)}], decoder: [{string.Join(", ", decoder.shape)}].");
        using var scope = torch.NewDisposeScope();
        var value = Options.ValueChannels is null ? decoder : OfDecoder("v", decoder);
        return SapaFunctional.WindowAttention(Query(encoder, decoder), Key(decoder), value, attention)
            .MoveToOuterDisposeScope();
    }

    private torch.Tensor Query(torch.Tensor encoder, torch.Tensor decoder)
    {
        switch (Options.Similarity)
        {
            case Similarity.Bilinear:
                return OfNormalised("norm_y", this.Required("q.weight"), this.Optional("q.bias"), encoder);
            case Similarity.GatedBilinear:
                return SapaFunctional.QueryBlend(
                    OfNormalised("norm_y", this.Required("qy.weight"), this.Optional("qy.bias"), encoder),
                    Projections.Project(this, "qx", decoder),
                    OfDecoder("gate", decoder));
            case Similarity.Concatenated:
                // The columns of encoder and decoder are applied separately, without concatenating the maps.
                var weight = this.Required("q.weight");
                var ofEncoder = weight.narrow(1, 0, Options.EncoderChannels);
                var ofDecoder = weight.narrow(1, Options.EncoderChannels, Options.DecoderChannels);
                return SapaFunctional.QueryBlend(
                    OfNormalised("norm_y", ofEncoder, this.Optional("q.bias"), encoder),
                    SapaFunctional.Projection(decoder, ofDecoder));
            default:
                return Normalised("norm_y", encoder);
        }
    }

    private torch.Tensor Key(torch.Tensor decoder) => Options.Similarity == Similarity.InnerProduct
        ? Normalised("norm_x", decoder)
        : OfDecoder("k", decoder);

    private torch.Tensor OfDecoder(string layer, torch.Tensor decoder) =>
        OfNormalised("norm_x", this.Required($"{layer}.weight"), this.Optional($"{layer}.bias"), decoder);

    private torch.Tensor OfNormalised(string norm, torch.Tensor weight, torch.Tensor? bias, torch.Tensor map) =>
        Options.FeatureNorm == FeatureNormKind.Layer
            ? Projections.NormaliseAndProject(this, norm, Options.Epsilon, weight, bias, map)
            : SapaFunctional.Projection(Normalised(norm, map), weight, bias);

    private torch.Tensor Normalised(string norm, torch.Tensor map) =>
        Projections.Normalise(this, norm, Options.FeatureNorm, Options.NormGroups, Options.Epsilon, map);
}
