using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// A rectangle of queries of an image, the heads of one set of weights, and the rectangle of cells that holds whatever one of
/// the queries sees.
/// </summary>
internal struct CrossTile
{
    public int Image;

    /// <summary>The set of weights.</summary>
    public int Set;

    public int Row;
    public int Rows;
    public int Column;
    public int Columns;
    public int FirstCellRow;
    public int CellRows;
    public int FirstCellColumn;
    public int CellColumns;

    /// <summary>Whether there are queries that do not see all cells.</summary>
    public bool IsMasked;

    /// <summary>Whether windows reach beyond the map.</summary>
    public bool HasOutside;

    public readonly int Queries => Rows * Columns;

    public readonly int Cells => CellRows * CellColumns;

    /// <summary>Gets whether cells differ in what has to be added to their scores.</summary>
    public readonly bool HasTerms => IsMasked || HasOutside;

    /// <summary>Finds a tile of the tables.</summary>
    public static CrossTile Of<TStorage, TReal>(
        in CrossAttentionParameters<TStorage, TReal> parameters, int image, int set, int rowTile, int columnTile)
        where TStorage : unmanaged
        where TReal : unmanaged
    {
        int row = parameters.RowTiles[rowTile];
        int column = parameters.ColumnTiles[columnTile];
        return Between(
            in parameters,
            image,
            set,
            row,
            parameters.RowTiles[rowTile + 1] - row,
            column,
            parameters.ColumnTiles[columnTile + 1] - column);
    }

    private static CrossTile Between<TStorage, TReal>(
        in CrossAttentionParameters<TStorage, TReal> parameters, int image, int set, int row, int rows, int column, int columns)
        where TStorage : unmanaged
        where TReal : unmanaged
    {
        var tile = new CrossTile
        {
            Image = image,
            Set = set,
            Row = row,
            Rows = rows,
            Column = column,
            Columns = columns,
        };
        int rowEnd = Include(parameters.Rows, row, rows, ref tile, out tile.FirstCellRow);
        int columnEnd = Include(parameters.Columns, column, columns, ref tile, out tile.FirstCellColumn);
        tile.CellRows = rowEnd - tile.FirstCellRow;
        tile.CellColumns = columnEnd - tile.FirstCellColumn;
        return tile;
    }

    /// <summary>Finds the next part of a tile whose queries all see the same cells.</summary>
    /// <param name="parameters">The problem.</param>
    /// <param name="row">Where the part begins; then where the next one does. At first the row of the tile.</param>
    /// <param name="column">The same for columns.</param>
    /// <param name="part">The part.</param>
    /// <returns>Whether there was one left.</returns>
    public readonly bool NextPart<TStorage, TReal>(
        in CrossAttentionParameters<TStorage, TReal> parameters, ref int row, ref int column, out CrossTile part)
        where TStorage : unmanaged
        where TReal : unmanaged
    {
        part = default;
        if (row == Row + Rows)
            return false;
        int rows = EqualRanges(parameters.Rows, row, Row + Rows);
        int columns = EqualRanges(parameters.Columns, column, Column + Columns);
        part = Between(in parameters, Image, Set, row, rows, column, columns);
        column += columns;
        if (column == Column + Columns)
        {
            column = Column;
            row += rows;
        }
        return true;
    }

    // How many of the outputs from one on have its range.
    private static int EqualRanges(ILGPU.ArrayView<int> ranges, int output, int end)
    {
        var first = AxisRange.Read(ranges, output);
        int count = 1;
        for (; output + count < end; count++)
        {
            var next = AxisRange.Read(ranges, output + count);
            if (next.First != first.First || next.End != first.End)
                break;
        }
        return count;
    }

    private static int Include(ILGPU.ArrayView<int> ranges, int output, int count, ref CrossTile tile, out int first)
    {
        var one = AxisRange.Read(ranges, output);
        first = one.First;
        int end = one.End;
        for (int i = 0; i < count; i++)
        {
            var range = AxisRange.Read(ranges, output + i);
            tile.IsMasked |= range.First != first || range.End != end;
            tile.HasOutside |= range.Before + range.After > 0;
            end = Math.Max(end, range.End);
        }
        return end;
    }
}
