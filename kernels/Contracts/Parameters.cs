using System.Numerics;

namespace SapaGpu.Kernels;

/// <summary>The contract of window attention, forward.</summary>
public struct WindowAttentionParameters<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
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

    /// <summary>What every query's powers were divided by, [B, 1, OH, OW]; for the softmax its logarithm.</summary>
    public MapView<TAccumulator> Normaliser;

    /// <summary>Whether <see cref="Normaliser"/> is to be written.</summary>
    public int SaveNormaliser;
}

/// <summary>
/// The contract of the first backward pass of window attention: per query, the weights are computed anew from the
/// saved normaliser, and with them the gradients of the scores and of the query.
/// </summary>
public struct WindowAttentionBackwardParameters<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
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
    public MapView<TAccumulator> Normaliser;

    /// <summary>Gradient of the query, [B, D, OH, OW].</summary>
    public MapView<TStorage> GradQuery;

    /// <summary>The weights, [B, K², OH, OW] (rows of the band only).</summary>
    public MapView<TAccumulator> Weights;

    /// <summary>The gradients of the scores, [B, K², OH, OW] (rows of the band only).</summary>
    public MapView<TAccumulator> GradScores;

    /// <summary>Whether <see cref="GradQuery"/> is to be written.</summary>
    public int NeedsGradQuery;

    /// <summary>Whether <see cref="Weights"/> is to be written.</summary>
    public int NeedsWeights;

    /// <summary>Whether <see cref="GradScores"/> is to be written.</summary>
    public int NeedsGradScores;
}

/// <summary>The contract of local similarity: scores[j] = ⟨query, key at tap j⟩.</summary>
public struct WindowSimilarityParameters<TStorage>
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

/// <summary>The contract of reassembly: output = Σⱼ weights[j] · value at tap j.</summary>
public struct WindowReassemblyParameters<TStorage>
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
}

/// <summary>
/// The contract of the transposed reassembly: a cell of the result gathers, from every query whose window holds the
/// cell, the query's feature times the weight the query gave to the cell. It is the adjoint of the reassembly with
/// respect to the value, and of the similarity with respect to the key.
/// </summary>
/// <typeparam name="TStorage">The storage type of source and result.</typeparam>
/// <typeparam name="TWeight">The storage type of the weights.</typeparam>
public struct TransposedReassemblyParameters<TStorage, TWeight>
    where TStorage : unmanaged
    where TWeight : unmanaged
{
    /// <summary>The extent of the problem; C channels are gathered.</summary>
    public WindowExtent Extent;

    /// <summary>The decoder rows of the result.</summary>
    public RowBand Band;

    /// <summary>Weights, [B, K², OH, OW].</summary>
    public MapView<TWeight> Weights;

    /// <summary>Source, [B, C, OH, OW].</summary>
    public MapView<TStorage> Source;

    /// <summary>Result, [B, C, H, W].</summary>
    public MapView<TStorage> Result;

    /// <summary>Whether the sums are added to what <see cref="Result"/> holds.</summary>
    public int Accumulate;
}
