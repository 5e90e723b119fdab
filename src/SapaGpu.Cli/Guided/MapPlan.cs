namespace SapaGpu.Cli.Guided;

/// <summary>What is computed of a map, and how the result is stored.</summary>
internal sealed record MapPlan
{
    /// <summary>The kind of map.</summary>
    public required MapKind Kind { get; init; }

    /// <summary>What is upsampled.</summary>
    public required Raster Map { get; init; }

    /// <summary>Its codec; the argument says whether more is wanted than means of cells.</summary>
    public required Func<bool, CodecOfStep> CodecOf { get; init; }

    /// <summary>The samples of a pixel of the result.</summary>
    public required int Channels { get; init; }

    /// <summary>How the result is stored.</summary>
    public required MapStorage Storage { get; init; }

    /// <summary>The map in the units of the result, for figures and measures.</summary>
    public required Raster Shown { get; init; }

    /// <summary>The range of a mask that is decided; null if it is not.</summary>
    public MaskRange? Range { get; init; }

    /// <summary>The values for nearest as bytes of the file; null if numbers do.</summary>
    public ExactMap? Exact { get; init; }

    /// <summary>Whether logits were found or said to be probabilities already.</summary>
    public bool AreProbabilities { get; init; }

    /// <summary>Whether classes and marks must be stored exactly.</summary>
    public bool MustBeExact { get; init; }
}
