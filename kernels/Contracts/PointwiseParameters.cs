namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of a function of every value, and of its backward.</summary>
internal struct PointwiseParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>C, the channels.</summary>
    public int Channels;

    /// <summary>H, the rows.</summary>
    public int Height;

    /// <summary>W, the columns.</summary>
    public int Width;

    /// <summary>The input, [B, C, H, W].</summary>
    public MapView<TStorage> Input;

    /// <summary>The gradient of the output, [B, C, H, W]; of the backward only.</summary>
    public MapView<TStorage> Gradient;

    /// <summary>The output or the gradient of the input, [B, C, H, W].</summary>
    public MapView<TStorage> Result;
}
