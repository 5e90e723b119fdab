using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>Options of a <see cref="SapaUpsampler{T}"/>.</summary>
public sealed record SapaOptions
{
    /// <summary>Gets the number of channels of the encoder features, the guide.</summary>
    public required int EncoderChannels { get; init; }

    /// <summary>Gets the number of channels of the decoder features, which are upsampled.</summary>
    public required int DecoderChannels { get; init; }

    /// <summary>Gets how encoder and decoder features are compared.</summary>
    public Similarity Similarity { get; init => field = EnumChecks.Defined(value); } = Similarity.Bilinear;

    /// <summary>Gets the normalisation of the features before they are projected or compared.</summary>
    public FeatureNormKind FeatureNorm { get; init => field = EnumChecks.Defined(value); } = FeatureNormKind.Layer;

    /// <summary>Gets the number of groups of GroupNorm, a divisor of both numbers of channels.</summary>
    public int NormGroups { get; init; } = 32;

    /// <summary>
    /// Gets D, the number of channels of query and key; the inner product does not use it.
    /// </summary>
    public int EmbeddingChannels { get; init; } = 64;

    /// <summary>
    /// Gets the number of channels of a value that is projected from the normalised decoder features; null to upsample
    /// the decoder features themselves.
    /// </summary>
    public int? ValueChannels { get; init; }

    /// <summary>Gets K, the odd width of the window, from 1 to 15.</summary>
    public int Window { get; init; } = 5;

    /// <summary>Gets how taps outside the decoder map are treated.</summary>
    public BorderRule Border { get; init => field = EnumChecks.Defined(value); } = BorderRule.ZeroLogit;

    /// <summary>Gets how scores become weights.</summary>
    public ScoreNormalisation Normalisation
    {
        get; init =>
        field = EnumChecks.Defined(value);
    } = ScoreNormalisation.Softmax;

    /// <summary>Gets whether the projections have a bias.</summary>
    public bool HasBias { get; init; } = true;

    /// <summary>Gets the number that the normalisations add to the variance, at least 0.</summary>
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>
    /// Gets whether encoder features may have fewer rows or columns than decoder features. By default that is an error, for it
    /// is what swapped arguments look like.
    /// </summary>
    public bool AllowsDownsampling { get; init; }

    /// <summary>Gets the number of channels of the output.</summary>
    public int OutputChannels => ValueChannels ?? DecoderChannels;

    /// <summary>Gets the options of the attention inside the module.</summary>
    internal WindowAttentionOptions Attention =>
        new() { Window = Window, Border = Border, Normalisation = Normalisation };
}
