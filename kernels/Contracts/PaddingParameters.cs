namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of a copy with a mirrored border, and of its adjoint.</summary>
internal struct PaddingParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>C, the channels.</summary>
    public int Channels;

    /// <summary>H, the rows without the border.</summary>
    public int Height;

    /// <summary>W, the columns without the border.</summary>
    public int Width;

    /// <summary>The width of the border; less than H and W.</summary>
    public int Border;

    /// <summary>The map, or of the adjoint the gradient of the one with a border.</summary>
    public MapView<TStorage> Source;

    /// <summary>The map with a border, or of the adjoint the gradient of the map.</summary>
    public MapView<TStorage> Result;
}
