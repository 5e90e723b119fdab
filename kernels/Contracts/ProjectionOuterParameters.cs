using System.Numerics;
using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of the first step of the parameter gradients: per chunk of pixels, A = Σ g·x̂ᵀ [O, I] and, behind it,
/// Σ g [O], where g is the gradient of the output and x̂ the normalised input.
/// </summary>
internal struct ProjectionOuterParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>The extent of the problem.</summary>
    public PointwiseExtent Extent;

    /// <summary>Input of the forward, [B, I, H, W].</summary>
    public MapView<TStorage> Input;

    /// <summary>Gradient of the output, [B, O, H, W].</summary>
    public MapView<TStorage> GradOutput;

    /// <summary>Mean and reciprocal deviation of every pixel, [B, 2, H, W].</summary>
    public MapView<TReal> Statistics;

    /// <summary>The sums of every chunk, [chunks, O·I + O].</summary>
    public ArrayView<TReal> Partials;

    /// <summary>
    /// The pixels of a chunk; depends on the problem only, so that sums are the same on any number of threads.
    /// </summary>
    public int PixelsPerChunk;

    /// <summary>The number of chunks.</summary>
    public int Chunks;

    /// <summary>Whether the input is normalised.</summary>
    public int HasNorm;
}
