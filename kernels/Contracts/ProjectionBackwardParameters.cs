using System.Numerics;
using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of the backward in one pass over the map: the sums of <see cref="Outer"/> and the gradient of the
/// input, Wᵀg taken through LayerNorm's backward where there is a normalisation.
/// </summary>
internal struct ProjectionBackwardParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>The maps, the statistics and the sums for the parameters.</summary>
    public ProjectionOuterParameters<TStorage, TReal> Outer;

    /// <summary>
    /// The matrix, element (o, i) at o·<see cref="WeightRowStride"/> + i·<see cref="WeightColumnStride"/>.
    /// </summary>
    public ArrayView<TReal> Weight;

    /// <summary>Elements from one output channel of the matrix to the next.</summary>
    public long WeightRowStride;

    /// <summary>Elements from one input channel of the matrix to the next.</summary>
    public long WeightColumnStride;

    /// <summary>The factor γ of the normalisation, [I].</summary>
    public ArrayView<TReal> NormWeight;

    /// <summary>The gradient of the input, [B, I, H, W].</summary>
    public MapView<TStorage> GradInput;

    /// <summary>Whether that gradient is added to what is there.</summary>
    public int Accumulate;

    /// <summary>Whether <see cref="GradInput"/> is wanted.</summary>
    public int WantsInput;

    /// <summary>Whether the sums for the parameters are wanted.</summary>
    public int WantsParameters;
}
