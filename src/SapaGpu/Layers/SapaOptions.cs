using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>The choices of a <see cref="SapaUpsampler{T}"/>.</summary>
public sealed record SapaOptions
{
    /// <summary>Gets the channels of the encoder features, the guide.</summary>
    public required int EncoderChannels { get; init; }

    /// <summary>Gets the channels of the decoder features, which are upsampled.</summary>
    public required int DecoderChannels { get; init; }

    /// <summary>Gets how encoder and decoder are compared.</summary>
    public Similarity Similarity { get; init => field = EnumChecks.Defined(value); } = Similarity.Bilinear;

    /// <summary>Gets how features are normalised before.</summary>
    public FeatureNormKind FeatureNorm { get; init => field = EnumChecks.Defined(value); } = FeatureNormKind.Layer;

    /// <summary>Gets the groups of GroupNorm.</summary>
    public int NormGroups { get; init; } = 32;

    /// <summary>
    /// Gets D, the channels in which encoder and decoder are compared; without meaning for the inner product.
    /// </summary>
    public int EmbeddingChannels { get; init; } = 64;

    /// <summary>
    /// Gets the channels of a projection of the value, from the normalised decoder features; null to upsample the
    /// decoder features themselves.
    /// </summary>
    public int? ValueChannels { get; init; }

    /// <summary>Gets K, the odd width of the window.</summary>
    public int Window { get; init; } = 5;

    /// <summary>Gets what taps outside the decoder map count for.</summary>
    public BorderRule Border { get; init => field = EnumChecks.Defined(value); } = BorderRule.ZeroLogit;

    /// <summary>Gets how similarities become weights.</summary>
    public ScoreNormalisation Normalisation
    {
        get; init =>
        field = EnumChecks.Defined(value);
    } = ScoreNormalisation.Softmax;

    /// <summary>Gets whether the projections have a bias.</summary>
    public bool HasBias { get; init; } = true;

    /// <summary>Gets what the normalisations add to the variance.</summary>
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>Gets the channels of the output.</summary>
    public int OutputChannels => ValueChannels ?? DecoderChannels;

    /// <summary>Gets the options of the attention inside the module.</summary>
    internal WindowAttentionOptions Attention =>
        new() { Window = Window, Border = Border, Normalisation = Normalisation };
}
