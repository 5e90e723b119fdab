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

    /// <summary>Query, [B, D, s·H, s·W].</summary>
    public MapView<TStorage> Query;

    /// <summary>Key, [B, D, H, W].</summary>
    public MapView<TStorage> Key;

    /// <summary>Value, [B, C, H, W].</summary>
    public MapView<TStorage> Value;

    /// <summary>Output, [B, C, s·H, s·W].</summary>
    public MapView<TStorage> Output;

    /// <summary>The logarithm of the softmax denominator of every query, [B, 1, s·H, s·W].</summary>
    public MapView<TAccumulator> LogSumExp;

    /// <summary>Whether <see cref="LogSumExp"/> is to be written.</summary>
    public int SaveLogSumExp;
}

/// <summary>
/// The contract of the first backward pass of window attention: per query, the softmax weights are computed anew from
/// the saved log-sum-exp, and with them the gradients of the scores and of the query.
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

    /// <summary>Query, [B, D, s·H, s·W].</summary>
    public MapView<TStorage> Query;

    /// <summary>Key, [B, D, H, W].</summary>
    public MapView<TStorage> Key;

    /// <summary>Value, [B, C, H, W].</summary>
    public MapView<TStorage> Value;

    /// <summary>Gradient of the output, [B, C, s·H, s·W].</summary>
    public MapView<TStorage> GradOutput;

    /// <summary>The log-sum-exp that the forward saved, [B, 1, s·H, s·W].</summary>
    public MapView<TAccumulator> LogSumExp;

    /// <summary>Gradient of the query, [B, D, s·H, s·W].</summary>
    public MapView<TStorage> GradQuery;

    /// <summary>The softmax weights, [B, K², s·H, s·W] (rows of the band only).</summary>
    public MapView<TAccumulator> Weights;

    /// <summary>The gradients of the scores, [B, K², s·H, s·W] (rows of the band only).</summary>
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

    /// <summary>Query, [B, D, s·H, s·W].</summary>
    public MapView<TStorage> Query;

    /// <summary>Key, [B, D, H, W].</summary>
    public MapView<TStorage> Key;

    /// <summary>Scores, [B, K², s·H, s·W].</summary>
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

    /// <summary>Weights, [B, K², s·H, s·W].</summary>
    public MapView<TStorage> Weights;

    /// <summary>Value, [B, C, H, W].</summary>
    public MapView<TStorage> Value;

    /// <summary>Output, [B, C, s·H, s·W].</summary>
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

    /// <summary>Weights, [B, K², s·H, s·W].</summary>
    public MapView<TWeight> Weights;

    /// <summary>Source, [B, C, s·H, s·W].</summary>
    public MapView<TStorage> Source;

    /// <summary>Result, [B, C, H, W].</summary>
    public MapView<TStorage> Result;
}
