namespace SapaGpu;

/// <summary>The choices of a <see cref="CarafeUpsampler{T}"/>.</summary>
public sealed record CarafeOptions
{
    /// <summary>Gets C, the channels of the features, a multiple of the groups.</summary>
    public required int Channels { get; init; }

    /// <summary>Gets s, the upsampling ratio.</summary>
    public int Scale { get; init; } = 2;

    /// <summary>Gets K, the odd width of the window that is reassembled.</summary>
    public int Window { get; init; } = 5;

    /// <summary>Gets the groups that the channels are divided into, each with a kernel of its own.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Gets the odd width of the content encoder's kernel.</summary>
    public int EncoderKernel { get; init; } = 3;

    /// <summary>Gets the dilation of the content encoder.</summary>
    public int EncoderDilation { get; init; } = 1;

    /// <summary>Gets the channels that the content encoder works on.</summary>
    public int CompressedChannels { get; init; } = 64;
}
