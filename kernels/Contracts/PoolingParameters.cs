namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of average pooling to any size, and of its adjoint.</summary>
internal struct PoolingParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>C, the channels.</summary>
    public int Channels;

    /// <summary>H, the rows of the input.</summary>
    public int Height;

    /// <summary>W, the columns of the input.</summary>
    public int Width;

    /// <summary>OH, the rows of the output.</summary>
    public int OutputHeight;

    /// <summary>OW, the columns of the output.</summary>
    public int OutputWidth;

    /// <summary>The input, or of the adjoint the gradient of the output.</summary>
    public MapView<TStorage> Source;

    /// <summary>The output, or of the adjoint the gradient of the input.</summary>
    public MapView<TStorage> Result;
}
