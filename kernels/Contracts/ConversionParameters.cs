namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of the copy of a map into another element type or another order.</summary>
internal struct ConversionParameters<TSource, TResult>
    where TSource : unmanaged
    where TResult : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>C, the channels of the result.</summary>
    public int Channels;

    /// <summary>H, the rows of the result.</summary>
    public int Height;

    /// <summary>W, the columns of the result.</summary>
    public int Width;

    /// <summary>
    /// s, the ratio of a pixel shuffle: element (c, y, x) of the result is element (c·s² + (y mod s)·s + x mod s, y/s,
    /// x/s) of the source; 1 for a plain copy.
    /// </summary>
    public int Scale;

    /// <summary>Whether the shuffle goes the other way, from the fine to the coarse map.</summary>
    public int Inverse;

    /// <summary>Whether the values are added to what <see cref="Result"/> holds.</summary>
    public int Accumulate;

    /// <summary>The source.</summary>
    public MapView<TSource> Source;

    /// <summary>The result, [B, C, H, W].</summary>
    public MapView<TResult> Result;
}
