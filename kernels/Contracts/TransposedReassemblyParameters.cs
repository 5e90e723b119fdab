namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of the transposed reassembly: a cell of the result gathers, from every query whose window holds the
/// cell, the query's feature times the weight the query gave to the cell. It is the adjoint of the reassembly with
/// respect to the value, and of the similarity with respect to the key.
/// </summary>
/// <typeparam name="TStorage">The storage type of source and result.</typeparam>
/// <typeparam name="TWeight">The storage type of the weights.</typeparam>
internal struct TransposedReassemblyParameters<TStorage, TWeight>
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
