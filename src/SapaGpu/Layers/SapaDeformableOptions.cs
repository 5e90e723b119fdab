using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>Options of a <see cref="SapaDeformableUpsampler{T}"/>.</summary>
public sealed record SapaDeformableOptions
{
    /// <summary>Gets the number of channels of the encoder features, the guide.</summary>
    public required int EncoderChannels { get; init; }

    /// <summary>Gets the number of channels of the decoder features, a multiple of the groups.</summary>
    public required int DecoderChannels { get; init; }

    /// <summary>Gets s, the upsampling ratio, from 1 to 16.</summary>
    public int Scale { get; init; } = 2;

    /// <summary>Gets G, the number of groups that the channels are divided into.</summary>
    public int Groups { get; init; } = 4;

    /// <summary>Gets P, the number of points of a group.</summary>
    public int Points { get; init; } = 9;

    /// <summary>Gets D, the number of channels of query and key in a group.</summary>
    public int EmbeddingChannels { get; init; } = 32;

    /// <summary>
    /// Gets whether every output point has its own offsets, upsampled by pixel shuffle; otherwise all output points of
    /// a cell share the offsets of the cell.
    /// </summary>
    public bool HighResolutionOffsets { get; init; } = true;

    /// <summary>Gets the normalisation before the projections: GroupNorm or none.</summary>
    public FeatureNormKind FeatureNorm { get; init => field = EnumChecks.Defined(value); } = FeatureNormKind.None;

    /// <summary>Gets the number of groups of GroupNorm, a divisor of both numbers of channels.</summary>
    public int NormGroups { get; init; } = 32;

    /// <summary>Gets whether the projections have a bias.</summary>
    public bool HasBias { get; init; } = true;

    /// <summary>Gets the number that the normalisations add to the variance, at least 0.</summary>
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>Gets the options of the attention inside the module.</summary>
    internal DeformableAttentionOptions Attention => new() { Groups = Groups, Points = Points };
}
