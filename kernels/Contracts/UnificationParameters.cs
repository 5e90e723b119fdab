namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of the mean over channels of a softmax over kernels. The response of channel c to kernel o has the number
/// n = c·O + o and is read as n = o'·C + c': the softmax runs over o', the mean over c'.
/// </summary>
internal struct UnificationParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged
{
    /// <summary>C, the channels of the input.</summary>
    public int Channels;

    /// <summary>O, the kernels.</summary>
    public int Kernels;

    /// <summary>H, the rows.</summary>
    public int Height;

    /// <summary>W, the columns.</summary>
    public int Width;

    /// <summary>The responses, [C, O, H, W].</summary>
    public MapView<TStorage> Responses;

    /// <summary>The logarithm of the sum of exponentials of every c', [1, C, H, W].</summary>
    public MapView<TReal> Normalisers;

    /// <summary>The mean gradient Σ p·g over o' of every c', [1, C, H, W]; of the backward only.</summary>
    public MapView<TReal> Means;

    /// <summary>The gradient of the output, [1, O, H, W]; of the backward only.</summary>
    public MapView<TStorage> Gradient;

    /// <summary>The output, [1, O, H, W], or the gradient of the responses, [C, O, H, W].</summary>
    public MapView<TStorage> Result;
}
