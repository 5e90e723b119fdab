namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of adding up what parts of the queries contribute to a gradient of cells.</summary>
internal struct CrossPartParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged
{
    /// <summary>The parts.</summary>
    public int Splits;

    /// <summary>B, the images.</summary>
    public int Batch;

    /// <summary>The channels.</summary>
    public int Channels;

    /// <summary>H, the rows of cells.</summary>
    public int Height;

    /// <summary>W, the columns of cells.</summary>
    public int Width;

    /// <summary>The sums of the parts, those of the first part first, [parts·B, channels, H, W].</summary>
    public MapView<TReal> Partial;

    /// <summary>The gradient, [B, channels, H, W]; written.</summary>
    public MapView<TStorage> Result;
}
