namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of feature unification in one pass on the CPU: correlation of every channel with kernels, softmax over kernels, mean
/// over channels, in the order of <see cref="UnificationParameters{TStorage, TReal}"/>.
/// </summary>
internal struct FeatureUnificationParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged
{
    /// <summary>The images, rows and columns of both maps, and their channels, C and O.</summary>
    public PointwiseExtent Extent;

    /// <summary>K, the width of the kernels.</summary>
    public int Window;

    /// <summary>The kernels, [O, 1, K, K].</summary>
    public MapView<TReal> Basis;

    /// <summary>The input, [B, C, H, W].</summary>
    public MapView<TStorage> Input;

    /// <summary>The output, [B, O, H, W].</summary>
    public MapView<TStorage> Output;
}
