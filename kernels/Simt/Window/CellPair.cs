using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The shape of the tile that a thread group works on where the window is fixed: sixteen cells, that is eight pairs of
/// neighbours in a row. A warp has four lanes for each pair, and the group a warp for each row of the window.
/// </summary>
/// <remarks>
/// Tiles are square where channels lie side by side, which shares most of the windows; where columns do, they are wide,
/// so that a row of a tile is read and written by whole sectors.
/// </remarks>
internal static class CellPair
{
    /// <summary>The cells of a tile.</summary>
    public const int Cells = 16;

    /// <summary>The queries of a tile in one query pack.</summary>
    public const int Queries = 4 * Cells;

    /// <summary>The lanes of a pair.</summary>
    public const int Lanes = 4;

    /// <summary>The lanes of a warp.</summary>
    public const int WarpSize = 32;

    /// <summary>The threads of a group.</summary>
    public static int GroupSize<TWindow>()
        where TWindow : struct, IWindow => WarpSize * TWindow.Size(0);

    /// <summary>The cells of a tile in a row.</summary>
    public static int TileWidth<TAccess>()
        where TAccess : struct, IChannelAccess => TAccess.TileWidth;

    /// <summary>The rows of a tile.</summary>
    public static int TileHeight<TAccess>()
        where TAccess : struct, IChannelAccess => Cells / TileWidth<TAccess>();

    /// <summary>The columns that the windows of a tile cover.</summary>
    public static int HaloWidth<TWindow, TAccess>()
        where TWindow : struct, IWindow
        where TAccess : struct, IChannelAccess => TileWidth<TAccess>() + TWindow.Size(0) - 1;

    /// <summary>The positions that the windows of a tile cover.</summary>
    public static int HaloCells<TWindow, TAccess>()
        where TWindow : struct, IWindow
        where TAccess : struct, IChannelAccess =>
        HaloWidth<TWindow, TAccess>() * (TileHeight<TAccess>() + TWindow.Size(0) - 1);

    /// <summary>The packs from a pair to the next in an array of a pack for each cell and tap.</summary>
    public static int ArrayPitch<TWindow>()
        where TWindow : struct, IWindow => 2 * TWindow.Size(0) * TWindow.Size(0);

    /// <summary>The packs of an array that has one for each cell and tap.</summary>
    public static int ArrayLength<TWindow>()
        where TWindow : struct, IWindow => Cells / 2 * ArrayPitch<TWindow>();

    /// <summary>The thread groups that a band takes.</summary>
    public static long GroupCount<TAccess>(in WindowExtent extent, in RowBand band)
        where TAccess : struct, IChannelAccess =>
        TileOrigin.GroupCount(extent.Width, in band, TileWidth<TAccess>(), TileHeight<TAccess>(), parts: 1);

    /// <summary>The query packs of a cell.</summary>
    public static int QueryPacks<TScale>(in WindowExtent extent)
        where TScale : struct, IScale =>
        (TScale.Count(in extent.Rows, 0) * TScale.Count(in extent.Columns, 0) + 3) / 4;

    /// <summary>The pair of the running thread, counted row by row.</summary>
    public static int OfThread => (Group.IdxX & (WarpSize - 1)) / Lanes;

    /// <summary>The lane of the running thread within its pair.</summary>
    public static int Lane => Group.IdxX & (Lanes - 1);

    /// <summary>The warp of the running thread.</summary>
    public static int Warp => Group.IdxX / WarpSize;

    /// <summary>The row of a pair within the tile.</summary>
    public static int Row<TAccess>(int pair)
        where TAccess : struct, IChannelAccess => pair / (TileWidth<TAccess>() / 2);

    /// <summary>The column of the first cell of a pair within the tile.</summary>
    public static int Column<TAccess>(int pair)
        where TAccess : struct, IChannelAccess => 2 * (pair & (TileWidth<TAccess>() / 2 - 1));
}
