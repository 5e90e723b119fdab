using System.Numerics;

namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of the first backward pass of window attention: per query, the weights are computed anew from the
/// saved normaliser, and with them the gradients of the scores and of the query.
/// </summary>
internal struct WindowAttentionBackwardParameters<TStorage, TReal>
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

    /// <summary>Gradient of the output, [B, C, OH, OW].</summary>
    public MapView<TStorage> GradOutput;

    /// <summary>The normaliser that the forward saved, [B, 1, OH, OW].</summary>
    public MapView<TReal> Normaliser;

    /// <summary>Gradient of the query, [B, D, OH, OW].</summary>
    public MapView<TStorage> GradQuery;

    /// <summary>The weights, [B, K², OH, OW] (rows of the band only).</summary>
    public MapView<TReal> Weights;

    /// <summary>The gradients of the scores, [B, K², OH, OW] (rows of the band only).</summary>
    public MapView<TReal> GradScores;

    /// <summary>Whether <see cref="GradQuery"/> is to be written.</summary>
    public int NeedsGradQuery;

    /// <summary>Whether <see cref="Weights"/> is to be written.</summary>
    public int NeedsWeights;

    /// <summary>Whether <see cref="GradScores"/> is to be written.</summary>
    public int NeedsGradScores;

    /// <summary>Whether every four neighbouring columns of <see cref="GradQuery"/> are one aligned access.</summary>
    public int GradQueryByRows;
}
