namespace SapaGpu;

/// <summary>How a <see cref="SapaUpsampler{T}"/> compares encoder and decoder features.</summary>
public enum Similarity
{
    /// <summary>
    /// SAPA-I: the inner product of the features, after <see cref="SapaOptions.FeatureNorm"/>; both maps must have the
    /// same number of channels.
    /// </summary>
    InnerProduct,

    /// <summary>SAPA-B: the inner product of a projection of each.</summary>
    Bilinear,

    /// <summary>SAPA-G: as bilinear, with a query that a gate blends from encoder and decoder features.</summary>
    GatedBilinear,

    /// <summary>As bilinear, with a query that is projected from both features, concatenated.</summary>
    Concatenated,
}
