using System.Numerics;

namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of window attention, forward.</summary>
internal struct WindowAttentionParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>The extent of the problem.</summary>
    public WindowExtent Extent;

    /// <summary>The decoder rows to work on.</summary>
    public RowBand Band;

    /// <summary>The cut of the band into thread groups.</summary>
    public CellTiling Tiling;

    /// <summary>Query, [B, D, OH, OW].</summary>
    public MapView<TStorage> Query;

    /// <summary>Key, [B, D, H, W].</summary>
    public MapView<TStorage> Key;

    /// <summary>Value, [B, C, H, W].</summary>
    public MapView<TStorage> Value;

    /// <summary>Output, [B, C, OH, OW].</summary>
    public MapView<TStorage> Output;

    /// <summary>
    /// What every query's unnormalised weights were divided by, [B, 1, OH, OW]; for the softmax its logarithm.
    /// </summary>
    public MapView<TReal> Normaliser;

    /// <summary>Whether <see cref="Normaliser"/> is to be written.</summary>
    public int SaveNormaliser;

    /// <summary>Whether every four neighbouring columns of the output, from the first on, are one aligned access.</summary>
    public int OutputByRows;
}
