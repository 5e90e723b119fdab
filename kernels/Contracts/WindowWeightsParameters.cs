namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of turning scores into weights as a step of its own, and of its backward.</summary>
internal struct WindowWeightsParameters<TStorage, TResult>
    where TStorage : unmanaged
    where TResult : unmanaged
{
    /// <summary>The extent of the problem; its window is that of one head.</summary>
    public WindowExtent Extent;

    /// <summary>The heads, each with taps of its own.</summary>
    public int Heads;

    /// <summary>The taps of a head.</summary>
    public int Taps;

    /// <summary>Whether the gradient is that of the mean of all heads, [B, taps, OH, OW].</summary>
    public int Averaged;

    /// <summary>Scores, or for a reduction weights, [B, heads·taps, OH, OW].</summary>
    public MapView<TStorage> Source;

    /// <summary>The gradient of the weights.</summary>
    public MapView<TStorage> Gradient;

    /// <summary>What is computed.</summary>
    public MapView<TResult> Result;

    /// <summary>Whether a tap of the query's window lies outside the decoder map.</summary>
    public readonly bool IsOutside(in MapPosition query, int tap)
    {
        int row = Extent.Rows.CellOf(query.Row) + tap / Extent.Window - Extent.Radius;
        int column = Extent.Columns.CellOf(query.Column) + tap % Extent.Window - Extent.Radius;
        return row < 0 || row >= Extent.Height || column < 0 || column >= Extent.Width;
    }

    /// <summary>One value for every head and query.</summary>
    public readonly MapExtent PerHead() => MapExtent.Of(
        in Source, Extent.Batch, Heads, Extent.Rows.Queries, Extent.Columns.Queries);
}
