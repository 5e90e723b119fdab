using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The queries of one cell, row by row.</summary>
internal struct CellQueries
{
    /// <summary>The first row.</summary>
    public int Row;

    /// <summary>The first column.</summary>
    public int Column;

    /// <summary>The queries in a row.</summary>
    public int Columns;

    /// <summary>All queries.</summary>
    public int Count;

    /// <summary>Finds the queries of a cell.</summary>
    public static CellQueries Locate<TScale>(in WindowExtent extent, int row, int column)
        where TScale : struct, IScale
    {
        int columns = TScale.Count(in extent.Columns, column);
        return new CellQueries
        {
            Row = TScale.First(in extent.Rows, row),
            Column = TScale.First(in extent.Columns, column),
            Columns = columns,
            Count = columns * TScale.Count(in extent.Rows, row),
        };
    }

    /// <summary>The position of a query in a map of query resolution; one past the last stands for the last.</summary>
    public readonly long Offset<T>(in MapView<T> map, int image, int query)
        where T : unmanaged
    {
        int index = query < Count ? query : Count - 1;
        int row = index / Columns;
        return map.Offset(image, 0, Row + row, Column + index - row * Columns);
    }
}
