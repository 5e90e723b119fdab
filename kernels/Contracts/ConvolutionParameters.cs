using System.Numerics;
using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of a convolution in one pass on the CPU, of an input that may be normalised over groups and activated on the way:
/// output[y, x] = initial[y, x] + bias + Σ weight[a, b]·f(input[y + a·d − offset, x + b·d − offset]).
/// </summary>
internal struct ConvolutionParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>The output's images, rows and columns, and the channels of both maps.</summary>
    public PointwiseExtent Extent;

    /// <summary>The rows of the input.</summary>
    public int InputHeight;

    /// <summary>The columns of the input.</summary>
    public int InputWidth;

    /// <summary>K, the width of the kernel.</summary>
    public int Kernel;

    /// <summary>d, the distance of taps.</summary>
    public int Dilation;

    /// <summary>How far before the position of an output its first tap is.</summary>
    public int Offset;

    /// <summary>Whether the border is mirrored: −1 is 1, n is n − 2; otherwise the input is 0 outside.</summary>
    public int Mirrors;

    /// <summary>Whether f is SiLU(GroupNorm(x)); otherwise it is x.</summary>
    public int Activates;

    /// <summary>The groups of the normalisation.</summary>
    public int Groups;

    /// <summary>Whether there is a bias.</summary>
    public int HasBias;

    /// <summary>Whether the convolution is added to <see cref="Initial"/>.</summary>
    public int HasInitial;

    /// <summary>The input, [B, I, h, w].</summary>
    public MapView<TStorage> Input;

    /// <summary>What the convolution is added to, [B, O, H, W]; it may be the output.</summary>
    public MapView<TStorage> Initial;

    /// <summary>The output, [B, O, H, W].</summary>
    public MapView<TStorage> Output;

    /// <summary>The weights.</summary>
    public ArrayView<TReal> Weight;

    /// <summary>Where the weight of the first output, input and tap is.</summary>
    public long WeightOrigin;

    /// <summary>Elements from one output of a weight to the next.</summary>
    public long WeightOutputStride;

    /// <summary>Elements from one input of a weight to the next.</summary>
    public long WeightInputStride;

    /// <summary>Elements from one row of taps to the next; negative where the kernel is turned.</summary>
    public long WeightRowStride;

    /// <summary>Elements from one column of taps to the next.</summary>
    public long WeightColumnStride;

    /// <summary>The bias, [O].</summary>
    public ArrayView<TReal> Bias;

    /// <summary>Mean and reciprocal deviation of every group, [B, 2·G, 1, 1].</summary>
    public MapView<TReal> Statistics;

    /// <summary>The factor of the normalisation, [I].</summary>
    public ArrayView<TReal> NormWeight;

    /// <summary>The offset of the normalisation, [I].</summary>
    public ArrayView<TReal> NormBias;
}
