namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// How the queries of one axis belong to the cells of a decoder map. Query q belongs to cell ⌊q·cells/queries⌋, so the
/// queries of a cell are a contiguous run; an integer ratio gives every cell the same number.
/// </summary>
internal struct AxisGrid
{
    /// <summary>The cells, H or W of the decoder map.</summary>
    public int Cells;

    /// <summary>The queries, H or W of the output.</summary>
    public int Queries;

    /// <summary>The queries of every cell where all have the same number, else 0.</summary>
    public int Scale;

    /// <summary>
    /// The cells at either end that own no query: theirs belong to the next cell towards the middle, so that the whole
    /// window of every query lies inside the map (borders of the kind Shifted).
    /// </summary>
    public int EmptyEdgeCells;

    /// <summary>The first query of a cell, or of any later one if the cell has none.</summary>
    public readonly int First(int cell)
    {
        if (Scale > 0)
            return cell * Scale;
        if (cell <= EmptyEdgeCells)
            return 0;
        return cell >= Cells - EmptyEdgeCells ? Queries : (int)(((long)cell * Queries + Cells - 1) / Cells);
    }

    /// <summary>The cell around which the window of a query lies, where no window is moved.</summary>
    public readonly int CellOf(int query) => (int)((long)query * Cells / Queries);

    /// <summary>The queries of a cell.</summary>
    public readonly int Count(int cell) => Scale > 0 ? Scale : First(cell + 1) - First(cell);

    /// <summary>The largest number of queries that a cell may have.</summary>
    public readonly int MaximumCount =>
        Scale > 0 ? Scale : (int)Math.Min(Queries, (2L * EmptyEdgeCells + 1) * Queries / Cells + 1);
}
