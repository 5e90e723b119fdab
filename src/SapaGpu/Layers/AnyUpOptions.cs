namespace SapaGpu;

/// <summary>Options of an <see cref="AnyUpUpsampler{T}"/>.</summary>
public sealed record AnyUpOptions
{
    /// <summary>Gets the channels of queries and keys, an even number of at most 16,384.</summary>
    public int Channels { get; init; } = 128;

    /// <summary>Gets the heads of the attention, a divisor of <see cref="Channels"/>; their weights are averaged.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Gets the odd width of the first convolution over the image, at most 255.</summary>
    public int ImageKernel { get; init; } = 1;

    /// <summary>Gets the odd width of the kernels that every channel of the features is correlated with, at most 255.</summary>
    public int FeatureKernel { get; init; } = 5;

    /// <summary>Gets how many of these kernels there are, a multiple of <see cref="NormGroups"/> of at most 16,384.</summary>
    public int FeatureKernels { get; init; } = 128;

    /// <summary>
    /// Gets the part of either axis that a point sees to either side; 0 or less for the whole map. Rounded to single precision.
    /// </summary>
    public double WindowRatio { get; init; } = 0.1;

    /// <summary>Gets the groups of the GroupNorms, a divisor of <see cref="Channels"/>.</summary>
    public int NormGroups { get; init; } = 8;

    /// <summary>Gets what is added to the variances of the GroupNorms; finite, and at least 0.</summary>
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>
    /// Gets what is added to the mean squares of the RMSNorms, finite and at least 0: 2⁻²³, the machine epsilon of single precision.
    /// </summary>
    public double RootMeanSquareEpsilon { get; init; } = 1.0 / (1 << 23);
}
