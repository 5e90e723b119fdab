using System.Numerics;
using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of the projection: LayerNorm over the channels of each pixel, then a linear map. The normalisation is
/// applied on the way into the product, so the normalised map is never stored.
/// </summary>
internal struct ProjectionParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>The extent of the problem.</summary>
    public PointwiseExtent Extent;

    /// <summary>Input, [B, I, H, W].</summary>
    public MapView<TStorage> Input;

    /// <summary>Output, [B, O, H, W].</summary>
    public MapView<TStorage> Output;

    /// <summary>
    /// The matrix, element (o, i) at o·<see cref="WeightRowStride"/> + i·<see cref="WeightColumnStride"/>.
    /// </summary>
    public ArrayView<TReal> Weight;

    /// <summary>Elements from one output channel of the matrix to the next.</summary>
    public long WeightRowStride;

    /// <summary>Elements from one input channel of the matrix to the next.</summary>
    public long WeightColumnStride;

    /// <summary>What is added to the product, [O].</summary>
    public ArrayView<TReal> Bias;

    /// <summary>The factor of the normalised input, [I].</summary>
    public ArrayView<TReal> NormWeight;

    /// <summary>What is added to the normalised input, [I].</summary>
    public ArrayView<TReal> NormBias;

    /// <summary>
    /// Mean and reciprocal deviation of every pixel, [B, 2, H, W]; written where there is a normalisation.
    /// </summary>
    public MapView<TReal> Statistics;

    /// <summary>What is added to the variance.</summary>
    public TReal Epsilon;

    /// <summary>Whether the product is added to what <see cref="Output"/> holds.</summary>
    public int Accumulate;

    /// <summary>Whether <see cref="Bias"/> is there.</summary>
    public int HasBias;

    /// <summary>Whether the input is normalised.</summary>
    public int HasNorm;
}
