namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of the division of a pixel by a norm over its channels, and of its backward.</summary>
internal struct PixelNormParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>C, the channels.</summary>
    public int Channels;

    /// <summary>H, the rows.</summary>
    public int Height;

    /// <summary>W, the columns.</summary>
    public int Width;

    /// <summary>What keeps the norm from 0.</summary>
    public TReal Epsilon;

    /// <summary>Whether there is a weight for every channel.</summary>
    public int HasWeight;

    /// <summary>The weight, [1, C, 1, 1].</summary>
    public MapView<TReal> Weight;

    /// <summary>The input, [B, C, H, W].</summary>
    public MapView<TStorage> Input;

    /// <summary>The gradient of the output, [B, C, H, W]; of the backward only.</summary>
    public MapView<TStorage> Gradient;

    /// <summary>The output or the gradient of the input, [B, C, H, W].</summary>
    public MapView<TStorage> Result;

    /// <summary>
    /// [B, 2, H, W]: the reciprocal r of the norm, and q, by which the gradient of the input is
    /// r·(w·g − q·x·⟨w·g, x⟩).
    /// </summary>
    public MapView<TReal> Statistics;

    /// <summary>⟨w·g, x⟩ of every pixel, [B, 1, H, W].</summary>
    public MapView<TReal> Products;

    /// <summary>Sums over a row of the gradient of the weight, [B, C, H, 1].</summary>
    public MapView<TReal> Sums;
}
