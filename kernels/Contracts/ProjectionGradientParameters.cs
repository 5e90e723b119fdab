using System.Numerics;
using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of the second and third step of the parameter gradients: the chunks are added in order into the first
/// one, then dW = γA + β·Σg, dγ = Σₒ W·A, dβ = Σₒ W·Σg.
/// </summary>
internal struct ProjectionGradientParameters<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>I, the channels of the input.</summary>
    public int InputChannels;

    /// <summary>O, the channels of the output.</summary>
    public int OutputChannels;

    /// <summary>The number of chunks.</summary>
    public int Chunks;

    /// <summary>The sums of every chunk, [chunks, O·I + O].</summary>
    public ArrayView<TReal> Partials;

    /// <summary>The elements from one output channel of the matrix and of its gradient to the next.</summary>
    public long WeightRowStride;

    /// <summary>The elements from one input channel of the matrix and of its gradient to the next.</summary>
    public long WeightColumnStride;

    /// <summary>The matrix W, [O, I].</summary>
    public ArrayView<TReal> Weight;

    /// <summary>The factor γ, [I].</summary>
    public ArrayView<TReal> NormWeight;

    /// <summary>The offset β, [I].</summary>
    public ArrayView<TReal> NormBias;

    /// <summary>The gradient of the matrix, [O, I].</summary>
    public ArrayView<TReal> GradWeight;

    /// <summary>The gradient of the bias, [O].</summary>
    public ArrayView<TReal> GradBias;

    /// <summary>The gradient of γ, [I].</summary>
    public ArrayView<TReal> GradNormWeight;

    /// <summary>The gradient of β, [I].</summary>
    public ArrayView<TReal> GradNormBias;

    /// <summary>Whether there is a bias.</summary>
    public int HasBias;

    /// <summary>Whether the input is normalised.</summary>
    public int HasNorm;
}
