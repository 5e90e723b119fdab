namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of reassembly: output = Σⱼ weights[j] · value at tap j.</summary>
internal struct WindowReassemblyParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>The extent of the problem; C channels are reassembled.</summary>
    public WindowExtent Extent;

    /// <summary>The decoder rows to work on.</summary>
    public RowBand Band;

    /// <summary>The cut of the band into thread groups.</summary>
    public CellTiling Tiling;

    /// <summary>Weights, [B, K², OH, OW].</summary>
    public MapView<TStorage> Weights;

    /// <summary>Value, [B, C, H, W].</summary>
    public MapView<TStorage> Value;

    /// <summary>Output, [B, C, OH, OW].</summary>
    public MapView<TStorage> Output;

    /// <summary>Whether every four neighbouring columns of the output, from the first on, are one aligned access.</summary>
    public int OutputByRows;
}
