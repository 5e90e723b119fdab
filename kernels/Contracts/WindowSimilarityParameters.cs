namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of local similarity: scores[j] = ⟨query, key at tap j⟩.</summary>
internal struct WindowSimilarityParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>The extent of the problem; D channels are compared.</summary>
    public WindowExtent Extent;

    /// <summary>The decoder rows to work on.</summary>
    public RowBand Band;

    /// <summary>The cut of the band into thread groups.</summary>
    public CellTiling Tiling;

    /// <summary>Query, [B, D, OH, OW].</summary>
    public MapView<TStorage> Query;

    /// <summary>Key, [B, D, H, W].</summary>
    public MapView<TStorage> Key;

    /// <summary>Scores, [B, K², OH, OW].</summary>
    public MapView<TStorage> Scores;
}
