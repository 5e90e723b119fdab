namespace SapaGpu;

/// <summary>How a <see cref="SapaUpsampler{T}"/> compares encoder and decoder features.</summary>
public enum Similarity
{
    /// <summary>SAPA-I: the inner product of the (normalised) features themselves.</summary>
    InnerProduct,

    /// <summary>SAPA-B: the inner product of projections of both.</summary>
    Bilinear,

    /// <summary>SAPA-G: as bilinear, with a query that a gate mixes from encoder and decoder features.</summary>
    GatedBilinear,

    /// <summary>As bilinear, with a query that is projected from both, side by side.</summary>
    Concatenated,
}
