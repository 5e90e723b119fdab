namespace SapaGpu;

/// <summary>The choices of a <see cref="SapaUpsampler{T}"/>.</summary>
public sealed record SapaOptions
{
    /// <summary>Gets the channels of the encoder features, the guide.</summary>
    public required int EncoderChannels { get; init; }

    /// <summary>Gets the channels of the decoder features, which are upsampled.</summary>
    public required int DecoderChannels { get; init; }

    /// <summary>Gets D, the channels in which encoder and decoder are compared.</summary>
    public int EmbeddingChannels { get; init; } = 64;

    /// <summary>Gets K, the odd width of the window.</summary>
    public int Window { get; init; } = 5;

    /// <summary>Gets what taps outside the decoder map count for.</summary>
    public BorderRule Border { get; init; } = BorderRule.ZeroLogit;

    /// <summary>Gets whether the projections have a bias.</summary>
    public bool HasBias { get; init; } = true;

    /// <summary>Gets what the normalisations add to the variance.</summary>
    public double Epsilon { get; init; } = 1e-5;
}
