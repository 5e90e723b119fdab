using System.Numerics;
using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of LayerNorm's backward: with g the gradient of the normalised and scaled input and x̂ the normalised
/// input, the gradient of the input is rstd·(γg − mean(γg) − x̂·mean(γg·x̂)).
/// </summary>
internal struct LayerNormBackwardParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>The extent of the problem; both channel counts are the same.</summary>
    public PointwiseExtent Extent;

    /// <summary>The gradient g, [B, C, H, W].</summary>
    public MapView<TStorage> Gradient;

    /// <summary>The input of the forward, [B, C, H, W].</summary>
    public MapView<TStorage> Input;

    /// <summary>Mean and reciprocal deviation of every pixel, [B, 2, H, W].</summary>
    public MapView<TReal> Statistics;

    /// <summary>The factor γ, [C].</summary>
    public ArrayView<TReal> NormWeight;

    /// <summary>The gradient of the input, [B, C, H, W].</summary>
    public MapView<TStorage> Result;

    /// <summary>Whether the gradient is added to what <see cref="Result"/> holds.</summary>
    public int Accumulate;
}
