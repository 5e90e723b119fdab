namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of interpolation to another size and of its adjoint.</summary>
internal struct InterpolationParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>C, the channels.</summary>
    public int Channels;

    /// <summary>The rows of the input and of the output.</summary>
    public SampleAxis Rows;

    /// <summary>The columns of the input and of the output.</summary>
    public SampleAxis Columns;

    /// <summary>The input, [B, C, H, W], or for the adjoint the gradient of the output, [B, C, OH, OW].</summary>
    public MapView<TStorage> Source;

    /// <summary>The output, [B, C, OH, OW], or for the adjoint the gradient of the input, [B, C, H, W].</summary>
    public MapView<TStorage> Result;
}
