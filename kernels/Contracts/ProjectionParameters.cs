using System.Numerics;
using ILGPU;

namespace SapaGpu.Kernels;

/// <summary>The pixels that a pointwise operator works on, and the channels on its two sides.</summary>
public struct PointwiseExtent
{
    /// <summary>The number of images.</summary>
    public int Batch;

    /// <summary>The rows.</summary>
    public int Height;

    /// <summary>The columns.</summary>
    public int Width;

    /// <summary>The channels that are read.</summary>
    public int InputChannels;

    /// <summary>The channels that are written.</summary>
    public int OutputChannels;

    /// <summary>The pixels that one group or one tile takes from a row.</summary>
    public readonly long Runs(int pixelsPerRun) =>
        (long)Batch * Height * ((Width + pixelsPerRun - 1) / pixelsPerRun);

    /// <summary>Gets all pixels.</summary>
    public readonly long Pixels => (long)Batch * Height * Width;
}

/// <summary>
/// The contract of the projection: LayerNorm over the channels of each pixel, then a linear map. The normalisation is
/// applied on the way into the product, so the normalised map is never stored.
/// </summary>
public struct ProjectionParameters<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <summary>The extent of the problem.</summary>
    public PointwiseExtent Extent;

    /// <summary>Input, [B, I, H, W].</summary>
    public MapView<TStorage> Input;

    /// <summary>Output, [B, O, H, W].</summary>
    public MapView<TStorage> Output;

    /// <summary>The matrix, element (o, i) at o·<see cref="WeightRowStride"/> + i·<see cref="WeightColumnStride"/>.</summary>
    public ArrayView<TAccumulator> Weight;

    /// <summary>Elements from one output channel of the matrix to the next.</summary>
    public long WeightRowStride;

    /// <summary>Elements from one input channel of the matrix to the next.</summary>
    public long WeightColumnStride;

    /// <summary>What is added to the product, [O].</summary>
    public ArrayView<TAccumulator> Bias;

    /// <summary>The factor of the normalised input, [I].</summary>
    public ArrayView<TAccumulator> NormWeight;

    /// <summary>What is added to the normalised input, [I].</summary>
    public ArrayView<TAccumulator> NormBias;

    /// <summary>Mean and reciprocal deviation of every pixel, [B, 2, H, W]; written where there is a normalisation.</summary>
    public MapView<TAccumulator> Statistics;

    /// <summary>What is added to the variance.</summary>
    public TAccumulator Epsilon;

    /// <summary>Whether the product is added to what <see cref="Output"/> holds.</summary>
    public int Accumulate;

    /// <summary>Whether <see cref="Bias"/> is there.</summary>
    public int HasBias;

    /// <summary>Whether the input is normalised.</summary>
    public int HasNorm;
}

/// <summary>
/// The contract of LayerNorm's backward: with g the gradient of the normalised and scaled input and x̂ the normalised
/// input, the gradient of the input is rstd·(γg − mean(γg) − x̂·mean(γg·x̂)).
/// </summary>
public struct LayerNormBackwardParameters<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <summary>The extent of the problem; both channel counts are the same.</summary>
    public PointwiseExtent Extent;

    /// <summary>The gradient g, [B, C, H, W].</summary>
    public MapView<TStorage> Gradient;

    /// <summary>The input of the forward, [B, C, H, W].</summary>
    public MapView<TStorage> Input;

    /// <summary>Mean and reciprocal deviation of every pixel, [B, 2, H, W].</summary>
    public MapView<TAccumulator> Statistics;

    /// <summary>The factor γ, [C].</summary>
    public ArrayView<TAccumulator> NormWeight;

    /// <summary>The gradient of the input, [B, C, H, W].</summary>
    public MapView<TStorage> Result;

    /// <summary>Whether the gradient is added to what <see cref="Result"/> holds.</summary>
    public int Accumulate;
}

/// <summary>
/// The contract of the first step of the parameter gradients: per chunk of pixels, A = Σ g·x̂ᵀ [O, I] and, behind it,
/// Σ g [O], where g is the gradient of the output and x̂ the normalised input.
/// </summary>
public struct ProjectionOuterParameters<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <summary>The extent of the problem.</summary>
    public PointwiseExtent Extent;

    /// <summary>Input of the forward, [B, I, H, W].</summary>
    public MapView<TStorage> Input;

    /// <summary>Gradient of the output, [B, O, H, W].</summary>
    public MapView<TStorage> GradOutput;

    /// <summary>Mean and reciprocal deviation of every pixel, [B, 2, H, W].</summary>
    public MapView<TAccumulator> Statistics;

    /// <summary>The sums of every chunk, [chunks, O·I + O].</summary>
    public ArrayView<TAccumulator> Partials;

    /// <summary>The pixels of a chunk; depends on the problem only, so that sums are the same on any number of threads.</summary>
    public int PixelsPerChunk;

    /// <summary>The number of chunks.</summary>
    public int Chunks;

    /// <summary>Whether the input is normalised.</summary>
    public int HasNorm;
}

/// <summary>
/// The contract of the backward in one pass over the map: the sums of <see cref="Outer"/> and the gradient of the input,
/// Wᵀg taken through LayerNorm's backward where there is a normalisation.
/// </summary>
public struct ProjectionBackwardParameters<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <summary>The maps, the statistics and the sums for the parameters.</summary>
    public ProjectionOuterParameters<TStorage, TAccumulator> Outer;

    /// <summary>The matrix, element (o, i) at o·<see cref="WeightRowStride"/> + i·<see cref="WeightColumnStride"/>.</summary>
    public ArrayView<TAccumulator> Weight;

    /// <summary>Elements from one output channel of the matrix to the next.</summary>
    public long WeightRowStride;

    /// <summary>Elements from one input channel of the matrix to the next.</summary>
    public long WeightColumnStride;

    /// <summary>The factor γ of the normalisation, [I].</summary>
    public ArrayView<TAccumulator> NormWeight;

    /// <summary>The gradient of the input, [B, I, H, W].</summary>
    public MapView<TStorage> GradInput;

    /// <summary>Whether that gradient is added to what is there.</summary>
    public int Accumulate;

    /// <summary>Whether <see cref="GradInput"/> is wanted.</summary>
    public int WantsInput;

    /// <summary>Whether the sums for the parameters are wanted.</summary>
    public int WantsParameters;
}

/// <summary>
/// The contract of the second and third step of the parameter gradients: the chunks are added in order into the first
/// one, then dW = γA + β·Σg, dγ = Σₒ W·A, dβ = Σₒ W·Σg.
/// </summary>
public struct ProjectionGradientParameters<TAccumulator>
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <summary>I, the channels of the input.</summary>
    public int InputChannels;

    /// <summary>O, the channels of the output.</summary>
    public int OutputChannels;

    /// <summary>The number of chunks.</summary>
    public int Chunks;

    /// <summary>The sums of every chunk, [chunks, O·I + O].</summary>
    public ArrayView<TAccumulator> Partials;

    /// <summary>The elements from one output channel of the matrix and of its gradient to the next.</summary>
    public long WeightRowStride;

    /// <summary>The elements from one input channel of the matrix and of its gradient to the next.</summary>
    public long WeightColumnStride;

    /// <summary>The matrix W, [O, I].</summary>
    public ArrayView<TAccumulator> Weight;

    /// <summary>The factor γ, [I].</summary>
    public ArrayView<TAccumulator> NormWeight;

    /// <summary>The offset β, [I].</summary>
    public ArrayView<TAccumulator> NormBias;

    /// <summary>The gradient of the matrix, [O, I].</summary>
    public ArrayView<TAccumulator> GradWeight;

    /// <summary>The gradient of the bias, [O].</summary>
    public ArrayView<TAccumulator> GradBias;

    /// <summary>The gradient of γ, [I].</summary>
    public ArrayView<TAccumulator> GradNormWeight;

    /// <summary>The gradient of β, [I].</summary>
    public ArrayView<TAccumulator> GradNormBias;

    /// <summary>Whether there is a bias.</summary>
    public int HasBias;

    /// <summary>Whether the input is normalised.</summary>
    public int HasNorm;
}
