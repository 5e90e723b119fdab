namespace SapaGpu;

/// <summary>Options of a <see cref="CarafeUpsampler{T}"/>.</summary>
public sealed record CarafeOptions
{
    /// <summary>Gets C, the number of channels of the features, a multiple of the groups.</summary>
    public required int Channels { get; init; }

    /// <summary>Gets s, the upsampling ratio, from 1 to 16.</summary>
    public int Scale { get; init; } = 2;

    /// <summary>Gets K, the odd width of the reassembled window, from 1 to 15.</summary>
    public int Window { get; init; } = 5;

    /// <summary>Gets the number of groups of channels, each of which has its own reassembly kernels.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Gets the odd kernel width of the content encoder.</summary>
    public int EncoderKernel { get; init; } = 3;

    /// <summary>Gets the dilation of the content encoder.</summary>
    public int EncoderDilation { get; init; } = 1;

    /// <summary>Gets the number of channels after the compressor, which the content encoder reads.</summary>
    public int CompressedChannels { get; init; } = 64;
}
