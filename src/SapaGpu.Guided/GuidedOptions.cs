namespace SapaGpu.Guided;

/// <summary>Options of guided upsampling; the defaults depend on the kind of map.</summary>
public sealed record GuidedOptions
{
    // Features are divided by it and squared in single precision.
    internal const double SmallestSigma = 1e-6;
    internal const double LargestSigma = 1e6;

    /// <summary>Gets the kind of the map.</summary>
    public MapKind Kind { get; init; } = MapKind.Image;

    /// <summary>Gets the method.</summary>
    public UpsampleMethod Method { get; init; } = UpsampleMethod.Sapa;

    /// <summary>
    /// Gets K, the width of the window in cells, odd and from 1 to <see cref="OperatorSupport.MaximumWindow"/>; null for the
    /// default of the kind.
    /// </summary>
    public int? Window { get; init; }

    /// <summary>
    /// Gets the standard deviation of the weights over colours, for each channel in a range of 1, of L*/100, a*/80 and b*/80 with
    /// <see cref="Refine"/>, else of red, green and blue; from 10⁻⁶ to 10⁶, null for the default of the kind.
    /// </summary>
    public double? ColourSigma { get; init; }

    /// <summary>
    /// Gets the standard deviation of the weights over distance, in cells of the map; from 10⁻⁶ to 10⁶, null for the
    /// default of the kind.
    /// </summary>
    public double? SpaceSigma { get; init; }

    /// <summary>
    /// Gets whether more is done than the mean over the window. Masks of two values and labels then follow the photo by a guided
    /// filter, and cells keep their class in the result; quantities are continued along their slope, and cells that mix two
    /// surfaces count less. Otherwise, and for features and logits, the result is the mean. Holds for
    /// <see cref="UpsampleMethod.Sapa"/> only.
    /// </summary>
    public bool Refine { get; init; } = true;

    /// <summary>
    /// Gets the values that mark missing ones. Cells all of whose channels have one of them are left out of all averages, and so
    /// are cells with a value that is not finite, marked or not. A pixel is missing where missing cells have more than half of the
    /// weight; it gets the first of these values, or NaN where there is none. Labels and logits: the class that is never
    /// spread; at most one.
    /// </summary>
    public IReadOnlyList<double> Unknown { get; init; } = [];

    /// <summary>
    /// Gets whether the last channel of an image is opacity, by which the colours of cells are weighted: the hidden colour of what
    /// is transparent does not bleed into what is not.
    /// </summary>
    public bool HasOpacity { get; init; }

    /// <summary>
    /// Gets whether a map of kind <see cref="MapKind.Logits"/> holds probabilities already. Otherwise a softmax over the channels
    /// of every cell makes them, for scores cannot be averaged.
    /// </summary>
    public bool AreProbabilities { get; init; }

    /// <summary>Gets the device that computes; null for the processor. The caller keeps it.</summary>
    public ComputeDevice? Device { get; init; }

    /// <summary>The kernel, with the defaults of the kind where nothing else was asked for.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    internal KernelSettings Settings
    {
        get
        {
            if (!Enum.IsDefined(Kind))
                throw new ArgumentException($"Kind {(int)Kind} is not defined; use one of the members of MapKind.");
            if (!Enum.IsDefined(Method))
                throw new ArgumentException($"Method {(int)Method} is not defined; use one of the members of UpsampleMethod.");
            if (Window is { } window && (window % 2 == 0 || window is < 1 or > OperatorSupport.MaximumWindow))
            {
                throw new ArgumentException(
                    $"Window must be an odd number from 1 to {OperatorSupport.MaximumWindow}; got {window}.");
            }
            Check(ColourSigma, nameof(ColourSigma));
            Check(SpaceSigma, nameof(SpaceSigma));
            if (Kind is MapKind.Labels or MapKind.Logits && Unknown.Count > 1)
                throw new ArgumentException($"{Kind} have at most one value of Unknown; got {Unknown.Count}.");
            return KernelDefaults.Of(Kind, Refine, Window, ColourSigma, SpaceSigma);
        }
    }

    /// <summary>Whether a standard deviation is in its range.</summary>
    internal static bool IsSigma(double sigma) => sigma is >= SmallestSigma and <= LargestSigma;

    private static void Check(double? sigma, string name)
    {
        if (sigma is { } value && !IsSigma(value))
            throw new ArgumentException($"{name} must be from {SmallestSigma} to {LargestSigma}; got {value}.");
    }
}
