using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The tile of eight cell pairs that a thread group owns; see <see cref="CellPair"/>.</summary>
internal struct CellPairTile
{
    /// <summary>The image.</summary>
    public int Image;

    /// <summary>The first row.</summary>
    public int Row;

    /// <summary>The first column.</summary>
    public int Column;

    /// <summary>One past the last row of the band.</summary>
    public int RowEnd;

    /// <summary>Finds the tile of the running group. Ends with a barrier.</summary>
    public static CellPairTile Locate<TAccess>(in WindowExtent extent, in RowBand band)
        where TAccess : struct, IChannelAccess
    {
        var origin = TileOrigin.Locate(
            extent.Width, in band, CellPair.TileWidth<TAccess>(), CellPair.TileHeight<TAccess>(), parts: 1);
        return new CellPairTile
        {
            Image = origin.Image,
            Row = origin.Row,
            Column = origin.Column,
            RowEnd = band.FirstRow + band.Rows,
        };
    }

    /// <summary>The row of a cell, the cells counted pair by pair.</summary>
    public readonly int CellRow<TAccess>(int cell)
        where TAccess : struct, IChannelAccess => Row + CellPair.Row<TAccess>(cell / 2);

    /// <summary>The column of a cell, the cells counted pair by pair.</summary>
    public readonly int CellColumn<TAccess>(int cell)
        where TAccess : struct, IChannelAccess => Column + CellPair.Column<TAccess>(cell / 2) + (cell & 1);

    /// <summary>Whether a cell lies in the map and in the band.</summary>
    public readonly bool Holds(int row, int column, int width) => row < RowEnd & column < width;

    /// <summary>
    /// Where a map has a query of a query pack, by its number in the tile; negative for those that are not there.
    /// </summary>
    public readonly long QueryOffset<TScale, TAccess, T>(
        in WindowExtent extent, int pack, int number, in MapView<T> map)
        where TScale : struct, IScale
        where TAccess : struct, IChannelAccess
        where T : unmanaged
    {
        int row = CellRow<TAccess>(number / 4);
        int column = CellColumn<TAccess>(number / 4);
        int query = pack * 4 + (number & 3);
        var queries = CellQueries.Locate<TScale>(in extent, row, column);
        return Holds(row, column, extent.Width) & query < queries.Count
            ? queries.Offset(in map, Image, query)
            : -1;
    }

    /// <summary>Whether the window of a cell of the tile reaches over an edge of the map.</summary>
    public readonly bool IsAtEdge<TWindow, TAccess>(in WindowExtent extent)
        where TWindow : struct, IWindow
        where TAccess : struct, IChannelAccess
    {
        int radius = TWindow.Size(0) / 2;
        return Row < radius
            | Column < radius
            | Row + CellPair.TileHeight<TAccess>() + radius > extent.Height
            | Column + CellPair.TileWidth<TAccess>() + radius > extent.Width;
    }
}
