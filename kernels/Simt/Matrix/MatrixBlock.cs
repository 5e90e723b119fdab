using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The block of 2×2 cells of the running warp: two cell pairs, one below the other, with four queries of each cell. The
/// queries are numbered from the upper left cell on, cell by cell.
/// </summary>
internal struct MatrixBlock<TWindow, TShape>
    where TWindow : struct, IWindow
    where TShape : struct, IChannelAccess
{
    /// <summary>The upper pair.</summary>
    public int Upper;

    /// <summary>The lower pair.</summary>
    public int Lower;

    // The first position of the windows.
    private int first;

    /// <summary>Finds the block of the running warp.</summary>
    public static MatrixBlock<TWindow, TShape> OfWarp()
    {
        int across = CellPair.TileWidth<TShape>() / 2;
        int row = CellPair.Warp / across;
        int column = CellPair.Warp - row * across;
        int upper = 2 * row * across + column;
        return new MatrixBlock<TWindow, TShape>
        {
            Upper = upper,
            Lower = upper + across,
            first = 2 * row * CellPair.HaloWidth<TWindow, TShape>() + 2 * column,
        };
    }

    /// <summary>
    /// A position of those that the windows cover, in the tile; past the last column that one once more, whose products
    /// are not used.
    /// </summary>
    public readonly int Position(int row, int column) =>
        first + row * CellPair.HaloWidth<TWindow, TShape>() + Math.Min(column, TWindow.Size(0));

    /// <summary>A query's number in the tile.</summary>
    public readonly int Query(int query) => 8 * (query < 8 ? Upper : Lower) + (query & 7);

    /// <summary>The scalar of a query of the upper or lower pair in an array with one for each tap.</summary>
    public static int InArray(int pair, int query) => 4 * pair * CellPair.ArrayPitch<TWindow>() + (query & 7);
}
