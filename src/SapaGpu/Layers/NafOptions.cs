namespace SapaGpu;

/// <summary>Options of a <see cref="NafUpsampler{T}"/>.</summary>
public sealed record NafOptions
{
    /// <summary>
    /// Gets the channels of queries and keys, an even number of at most 16,384; each half comes from one of two encoders.
    /// </summary>
    public int Channels { get; init; } = 256;

    /// <summary>Gets the heads of the attention, a divisor of <see cref="Channels"/> and of the channels of the features.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Gets the heads of the rotary positions; <see cref="Channels"/> is a multiple of four times as many.</summary>
    public int RotaryHeads { get; init; } = 4;

    /// <summary>Gets the width of the window of cells that a point attends to, on both axes.</summary>
    public int Window { get; init; } = 9;

    /// <summary>Gets the blocks of two convolutions after the first convolution of either encoder, at most 256.</summary>
    public int Blocks { get; init; } = 2;

    /// <summary>Gets the groups of the GroupNorms, a divisor of half the <see cref="Channels"/>.</summary>
    public int NormGroups { get; init; } = 8;

    /// <summary>Gets what the longest rotary period falls short of by one step, positive and finite; the shortest is 1.</summary>
    public double RotaryBase { get; init; } = 100;

    /// <summary>Gets what is added to the variances of the GroupNorms; finite, and at least 0.</summary>
    public double Epsilon { get; init; } = 1e-5;
}
