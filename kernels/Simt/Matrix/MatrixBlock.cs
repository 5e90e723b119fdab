using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The block of four cells of the running warp, with four queries of each: sixteen rows of a product. Cells in a row
/// where their windows cover no more than eight columns, else 2×2.
/// </summary>
/// <remarks>
/// In a row, the first eight rows of a product are the first two queries of each cell and the last eight the others: at
/// a ratio of 2, two rows of the output. Of 2×2 cells the first eight rows are the queries of the upper two.
/// </remarks>
internal struct MatrixBlock<TWindow, TShape>
    where TWindow : struct, IWindow
    where TShape : struct, IChannelAccess
{
    private const int Half = 8;

    // The first pair of cells, and that below it.
    private int pair;
    private int below;

    // The first position of the windows.
    private int first;

    /// <summary>Gets whether the cells lie in a row.</summary>
    public static bool IsRow => TWindow.Size(0) < 7;

    /// <summary>Gets the rows of positions that the windows cover.</summary>
    public static int Rows => TWindow.Size(0) + (IsRow ? 0 : 1);

    /// <summary>Gets how many rows of positions above those of the last eight queries are not theirs.</summary>
    public static int RowsAbove => IsRow ? 0 : 1;

    private static int LastColumn => TWindow.Size(0) + (IsRow ? 2 : 0);

    /// <summary>Finds the block of the running warp.</summary>
    public static MatrixBlock<TWindow, TShape> OfWarp()
    {
        int pairs = CellPair.TileWidth<TShape>() / 2;
        int across = IsRow ? pairs / 2 : pairs;
        int row = CellPair.Warp / across;
        int column = CellPair.Warp - row * across;
        int pair = IsRow ? 2 * CellPair.Warp : 2 * row * pairs + column;
        return new MatrixBlock<TWindow, TShape>
        {
            pair = pair,
            below = pair + pairs,
            first = IsRow
                ? row * CellPair.HaloWidth<TWindow, TShape>() + 4 * column
                : 2 * row * CellPair.HaloWidth<TWindow, TShape>() + 2 * column,
        };
    }

    /// <summary>The column within the block of the cell of a row of a product.</summary>
    public static int CellColumn(int row) => (row & (Half - 1)) / (IsRow ? 2 : 4);

    /// <summary>
    /// A position of those that the windows cover, in the tile; past the last column that one once more, whose products
    /// are not used.
    /// </summary>
    public readonly int Position(int row, int column) =>
        first + row * CellPair.HaloWidth<TWindow, TShape>() + Math.Min(column, LastColumn);

    /// <summary>The number in the tile of the query of a row of a product.</summary>
    public readonly int Query(int row)
    {
        int inHalf = row & (Half - 1);
        return IsRow
            ? Half * pair + inHalf / 2 * 4 + (inHalf & 1) + row / Half * 2
            : Half * (row < Half ? pair : below) + inHalf;
    }

    /// <summary>The scalar of the first tap of such a query in an array with one for each tap.</summary>
    public readonly int InArray(int row)
    {
        int query = Query(row);
        return query / Half * 4 * CellPair.ArrayPitch<TWindow>() + (query & (Half - 1));
    }
}
