using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>The choices of a <see cref="SapaDeformableUpsampler{T}"/>.</summary>
public sealed record SapaDeformableOptions
{
    /// <summary>Gets the channels of the encoder features, the guide.</summary>
    public required int EncoderChannels { get; init; }

    /// <summary>Gets the channels of the decoder features, a multiple of the groups.</summary>
    public required int DecoderChannels { get; init; }

    /// <summary>Gets s, the upsampling ratio, which the offsets at high resolution are made for.</summary>
    public int Scale { get; init; } = 2;

    /// <summary>Gets G, the groups that channels are divided into.</summary>
    public int Groups { get; init; } = 4;

    /// <summary>Gets P, the points of a group.</summary>
    public int Points { get; init; } = 9;

    /// <summary>Gets D, the channels in which a group compares encoder and decoder.</summary>
    public int EmbeddingChannels { get; init; } = 16;

    /// <summary>
    /// Gets whether every output point has offsets of its own, brought to high resolution by pixel shuffle; otherwise
    /// the points of a cell share theirs.
    /// </summary>
    public bool HighResolutionOffsets { get; init; } = true;

    /// <summary>Gets how features are normalised before they are projected: by GroupNorm, or not at all.</summary>
    public FeatureNormKind FeatureNorm { get; init => field = EnumChecks.Defined(value); } = FeatureNormKind.None;

    /// <summary>Gets the groups of GroupNorm.</summary>
    public int NormGroups { get; init; } = 32;

    /// <summary>Gets whether the projections have a bias.</summary>
    public bool HasBias { get; init; } = true;

    /// <summary>Gets what the normalisations add to the variance.</summary>
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>Gets the options of the attention inside the module.</summary>
    internal DeformableAttentionOptions Attention => new() { Groups = Groups, Points = Points };
}
