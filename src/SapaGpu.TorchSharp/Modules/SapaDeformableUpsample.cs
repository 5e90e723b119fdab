using SapaGpu.Layers;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// SAPA-D as a TorchSharp module (arXiv 2307.08198, section 4). <c>call(encoder, decoder)</c> upsamples decoder
/// features [B, Cx, H, W] to the resolution of encoder features [B, Cy, s·H, s·W].
/// </summary>
/// <remarks>
/// Parameters have the names of the authors' module: norm_y, norm_x, q, k and offset, each with weight and bias.
/// For the formulas and the initial values see <see cref="SapaDeformableUpsampler{T}"/>.
/// </remarks>
public sealed class SapaDeformableUpsample : torch.nn.Module<torch.Tensor, torch.Tensor, torch.Tensor>
{
    private readonly DeformableAttentionOptions attention;

    /// <summary>Creates the module with initial parameters, drawn from torch's generator.</summary>
    /// <param name="options">Channels, groups, points, offsets.</param>
    /// <param name="device">The device of the parameters; null for the CPU.</param>
    /// <param name="dtype">The type of the parameters; null for torch's default type.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A number is below 1, the scale is above 16, or epsilon is negative.
    /// </exception>
    /// <exception cref="ArgumentException">The channels are not a multiple of the groups.</exception>
    public SapaDeformableUpsample(
        SapaDeformableOptions options, torch.Device? device = null, torch.ScalarType? dtype = null)
        : base(nameof(SapaDeformableUpsample))
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        attention = options.Attention;
        ModuleParameters.Register(this, DeformableParameters.Specs(options), device, dtype);
        RegisterComponents();
    }

    /// <summary>Creates the module with the default options, on the CPU and in torch's default type.</summary>
    /// <param name="encoderChannels">Cy, the channels of the encoder features.</param>
    /// <param name="decoderChannels">Cx, the channels of the decoder features, a multiple of 4.</param>
    /// <param name="scale">s, the upsampling ratio, from 1 to 16.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1, or the scale is above 16.</exception>
    /// <exception cref="ArgumentException">The channels are not a multiple of 4.</exception>
    public SapaDeformableUpsample(int encoderChannels, int decoderChannels, int scale)
        : this(new SapaDeformableOptions
        {
            EncoderChannels = encoderChannels,
            DecoderChannels = decoderChannels,
            Scale = scale,
        })
    {
    }

    /// <summary>Gets the options that the module was created with.</summary>
    public SapaDeformableOptions Options { get; }

    /// <summary>Upsamples decoder features.</summary>
    /// <param name="encoder">Encoder features, [B, Cy, s·H, s·W].</param>
    /// <param name="decoder">Decoder features, [B, Cx, H, W].</param>
    /// <returns>The output, [B, Cx, s·H, s·W], in the memory format of the decoder features.</returns>
    /// <inheritdoc cref="SapaFunctional.WindowAttention" path="/exception"/>
    public override torch.Tensor forward(torch.Tensor encoder, torch.Tensor decoder)
    {
        ChannelChecks.Require(this, nameof(encoder), encoder, Options.EncoderChannels);
        ChannelChecks.Require(this, nameof(decoder), decoder, Options.DecoderChannels);
        using var scope = torch.NewDisposeScope();
        var normalised = Normalised("norm_x", decoder);
        return SapaFunctional.DeformableAttention(
            Projections.Project(this, "q", Normalised("norm_y", encoder)),
            Projections.Project(this, "k", normalised),
            decoder,
            Offsets(normalised),
            attention)
            .MoveToOuterDisposeScope();
    }

    private torch.Tensor Offsets(torch.Tensor decoder)
    {
        var cells = Projections.Project(this, "offset", decoder);
        return Options.HighResolutionOffsets
            ? PixelShuffles.Shuffle(cells, Options.Scale)
            : SapaFunctional.Interpolate(
                cells,
                checked((int)cells.shape[2] * Options.Scale),
                checked((int)cells.shape[3] * Options.Scale),
                InterpolationMode.Nearest);
    }

    private torch.Tensor Normalised(string norm, torch.Tensor map) => Projections.Normalise(
        this,
        norm,
        Options.FeatureNorm,
        Options.NormGroups,
        Options.Epsilon,
        map);
}
