using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>Which derivative a pass computes.</summary>
internal enum CrossPass
{
    /// <summary>The output.</summary>
    Forward,

    /// <summary>The gradients.</summary>
    Backward,

    /// <summary>The gradients of a product of the gradients with directions.</summary>
    DoubleBackward,
}

/// <summary>
/// What a thread stages and computes of a tile. Matrices of pairs are [cell][query], a block of cells at a time; maps are
/// staged as [query][channel], [channel][query] or [cell][channel], whichever the products take.
/// </summary>
internal readonly unsafe struct CrossScratch<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    /// <summary>Cells that are worked at a time: their pairs with a tile of queries stay in the second-level cache.</summary>
    private const int MostBlockCells = 256;

    public readonly CrossPass Pass;

    /// <summary>From one cell of a matrix of pairs to the next: whole panels of queries.</summary>
    public readonly int PairStride;

    /// <summary>From one staged query or cell to the next, with the channels of a head of query and key.</summary>
    public readonly int KeyStride;

    /// <summary>From one staged query or cell to the next, with the channels of value and output.</summary>
    public readonly int ValueStride;

    public readonly int BlockCells;

    public readonly TReal* QueryAcross;
    public readonly TReal* QueryRows;
    public readonly TReal* QueryDirectionAcross;
    public readonly TReal* QueryDirectionRows;
    public readonly TReal* GradAcross;
    public readonly TReal* GradRows;
    public readonly TReal* Key;
    public readonly TReal* KeyDirection;
    public readonly TReal* Value;
    public readonly TReal* ValueDirection;

    /// <summary>The biases of a block of cells; null if there are none.</summary>
    public readonly TReal* Bias;
    public readonly TReal* BiasDirection;

    /// <summary>Scores, then weights.</summary>
    public readonly TReal* Weights;

    /// <summary>The derivatives of the unnormalised weights over the sum of all; for softmax the weights.</summary>
    public readonly TReal* Slopes;

    /// <summary>The second derivatives over the sum of all; none for softmax.</summary>
    public readonly TReal* Curvatures;

    /// <summary>The weights that are applied to the value, where heads are averaged.</summary>
    public readonly TReal* MeanWeights;

    /// <summary>The gradients of the weights, ⟨value, gradient of the output⟩.</summary>
    public readonly TReal* GradWeights;

    /// <summary>The gradients of the scores.</summary>
    public readonly TReal* GradScores;

    /// <summary>The derivatives of the scores along the directions, then those of the weights.</summary>
    public readonly TReal* ScoreDirections;

    /// <summary>The derivatives of the gradients of the weights along the direction of the value.</summary>
    public readonly TReal* GradWeightDirections;

    /// <summary>The gradients of the scores, of the product with the directions.</summary>
    public readonly TReal* SecondScores;

    /// <summary>The mean over heads of the derivatives of the weights.</summary>
    public readonly TReal* MeanDirections;

    /// <summary>The results of queries, a head after the other.</summary>
    public readonly TReal* QueryResult;
    public readonly TReal* OutputResult;

    /// <summary>Gradients of a block of cells.</summary>
    public readonly TReal* CellResult;

    /// <summary>
    /// What the ranges add to the scores of a cell row, and what to those of a cell column, or how often they count it, [cell][query].
    /// </summary>
    public readonly TReal* RowTerms;
    public readonly TReal* ColumnTerms;

    /// <summary>The taps outside with score 0 of every query.</summary>
    public readonly TReal* Outside;

    /// <summary>Of every head: what is subtracted from the scores, sum of unnormalised weights and its reciprocal.</summary>
    public readonly TReal* Shift;
    public readonly TReal* Sum;
    public readonly TReal* Reciprocal;

    /// <summary>Of every head the weighted means of gradients, directions, and both.</summary>
    public readonly TReal* MeanGrad;
    public readonly TReal* MeanDirection;
    public readonly TReal* MeanSecond;

    /// <summary>Divides memory.</summary>
    /// <param name="allocator">The memory.</param>
    /// <param name="parameters">The problem.</param>
    /// <param name="pass">The derivative.</param>
    /// <param name="hasSlopes">Whether gradients need derivatives of the unnormalised weights that are not the weights.</param>
    public CrossScratch(
        ref ScratchAllocator allocator,
        in CrossAttentionParameters<TStorage, TReal> parameters,
        CrossPass pass,
        bool hasSlopes)
    {
        this = default;
        Pass = pass;
        int queries = parameters.TileQueries;
        int heads = parameters.Extent.HeadsOfSet;
        int keyChannels = parameters.Extent.KeyChannels;
        int valueChannels = parameters.Extent.ValueChannels;
        PairStride = MatrixProduct<TSimd, TStorage, TReal, TVector>.WholePanels(queries);
        KeyStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(keyChannels);
        ValueStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(valueChannels);
        BlockCells = (int)Math.Clamp((long)parameters.TileCellRows * parameters.TileCellColumns, 1, MostBlockCells);
        long pairs = (long)BlockCells * PairStride;

        QueryAcross = allocator.Take<TReal>((long)keyChannels * PairStride);
        Key = allocator.Take<TReal>((long)BlockCells * KeyStride);
        Value = allocator.Take<TReal>((long)BlockCells * ValueStride);
        Bias = parameters.HasBias != 0 ? allocator.Take<TReal>(BlockCells) : null;
        Weights = allocator.Take<TReal>(pairs);
        MeanWeights = heads > 1 ? allocator.Take<TReal>(pairs) : Weights;
        OutputResult = pass == CrossPass.Backward ? null : allocator.Take<TReal>((long)queries * ValueStride);
        RowTerms = allocator.Take<TReal>((long)parameters.TileCellRows * PairStride);
        ColumnTerms = allocator.Take<TReal>((long)parameters.TileCellColumns * PairStride);
        Outside = allocator.Take<TReal>(PairStride);
        Shift = allocator.Take<TReal>((long)heads * PairStride);
        Sum = allocator.Take<TReal>((long)heads * PairStride);
        Reciprocal = allocator.Take<TReal>((long)heads * PairStride);
        Slopes = Weights;
        if (pass == CrossPass.Forward)
            return;

        QueryRows = allocator.Take<TReal>((long)queries * KeyStride);
        GradAcross = allocator.Take<TReal>((long)valueChannels * PairStride);
        GradRows = allocator.Take<TReal>((long)queries * ValueStride);
        GradWeights = allocator.Take<TReal>(pairs);
        GradScores = allocator.Take<TReal>(pairs);
        QueryResult = allocator.Take<TReal>((long)heads * queries * KeyStride);
        CellResult = allocator.Take<TReal>((long)BlockCells * Math.Max(KeyStride, ValueStride));
        MeanGrad = allocator.Take<TReal>((long)heads * PairStride);
        if (hasSlopes)
            Slopes = allocator.Take<TReal>(pairs);
        if (pass == CrossPass.Backward)
            return;

        QueryDirectionAcross = allocator.Take<TReal>((long)keyChannels * PairStride);
        QueryDirectionRows = allocator.Take<TReal>((long)queries * KeyStride);
        KeyDirection = allocator.Take<TReal>((long)BlockCells * KeyStride);
        ValueDirection = allocator.Take<TReal>((long)BlockCells * ValueStride);
        BiasDirection = allocator.Take<TReal>(BlockCells);
        ScoreDirections = allocator.Take<TReal>(pairs);
        GradWeightDirections = allocator.Take<TReal>(pairs);
        SecondScores = allocator.Take<TReal>(pairs);
        MeanDirections = heads > 1 ? allocator.Take<TReal>(pairs) : ScoreDirections;
        MeanDirection = allocator.Take<TReal>((long)heads * PairStride);
        MeanSecond = allocator.Take<TReal>((long)heads * PairStride);
        if (hasSlopes)
            Curvatures = allocator.Take<TReal>(pairs);
    }
}
