using System.Numerics;
using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of feature normalisation as steps of its own: over the channels of one pixel, or over a group of
/// channels of a whole image. Statistics and means have two channels for every group; where they do not depend on the
/// pixel, their strides over rows and columns are 0.
/// </summary>
internal struct FeatureNormParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>The extent; both channel counts are the same.</summary>
    public PointwiseExtent Extent;

    /// <summary>The groups of channels.</summary>
    public int Groups;

    /// <summary>The features, [B, C, H, W].</summary>
    public MapView<TStorage> Input;

    /// <summary>The gradient of the normalised features, [B, C, H, W].</summary>
    public MapView<TStorage> Gradient;

    /// <summary>The normalised features, or the gradient of the features, [B, C, H, W].</summary>
    public MapView<TStorage> Result;

    /// <summary>Mean and reciprocal deviation of every group, [B, 2·G, H or 1, W or 1].</summary>
    public MapView<TReal> Statistics;

    /// <summary>Two sums over every row of every channel, [B, 2·C, H, 1].</summary>
    public MapView<TReal> RowSums;

    /// <summary>The means of the gradient and of its product with the normalised features, [B, 2·G, 1, 1].</summary>
    public MapView<TReal> GradientMeans;

    /// <summary>The factor, [C].</summary>
    public ArrayView<TReal> Weight;

    /// <summary>The offset, [C].</summary>
    public ArrayView<TReal> Bias;

    /// <summary>The gradient of the factor, [C].</summary>
    public ArrayView<TReal> GradWeight;

    /// <summary>The gradient of the offset, [C].</summary>
    public ArrayView<TReal> GradBias;

    /// <summary>What is added to the variance.</summary>
    public TReal Epsilon;

    /// <summary>Whether the gradient is added to what <see cref="Result"/> holds.</summary>
    public int Accumulate;

    /// <summary>Gets the channels of a group.</summary>
    public readonly int ChannelsPerGroup => Extent.InputChannels / Groups;
}
