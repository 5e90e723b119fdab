using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The tile of decoder cells that a thread group owns, and the query pack it is working on.</summary>
/// <remarks>
/// The s² queries of a cell share one window and are worked in packs of four; a query pack that is not full repeats its
/// last query, which is computed and not written.
/// </remarks>
internal struct CellTile
{
    /// <summary>The image.</summary>
    public int Image;

    /// <summary>The first row of the tile.</summary>
    public int Row;

    /// <summary>The first column of the tile.</summary>
    public int Column;

    /// <summary>One past the last row of the band.</summary>
    public int RowEnd;

    /// <summary>The cells of the tile in a row.</summary>
    public int Width;

    /// <summary>All cells of the tile.</summary>
    public int Cells;

    /// <summary>Finds the tile of the running group.</summary>
    public static CellTile Locate(in CellTiling tiling, in RowBand band)
    {
        int perImage = tiling.TilesAcross * tiling.TilesDown;
        int group = Grid.IdxX;
        int image = group / perImage;
        int tile = group - image * perImage;
        int down = tile / tiling.TilesAcross;
        int across = tile - down * tiling.TilesAcross;
        return new CellTile
        {
            Image = band.FirstImage + image,
            Row = band.FirstRow + down * tiling.TileHeight,
            Column = across * tiling.TileWidth,
            RowEnd = band.FirstRow + band.Rows,
            Width = tiling.TileWidth,
            Cells = tiling.Cells,
        };
    }

    /// <summary>The row of a cell.</summary>
    public readonly int CellRow(int cell) => Row + cell / Width;

    /// <summary>The column of a cell.</summary>
    public readonly int CellColumn(int cell) => Column + cell % Width;

    /// <summary>The packs that the cells of the tile are worked in: those of the cell with the most queries.</summary>
    public readonly int QueryPacks<TScale>(in WindowExtent extent)
        where TScale : struct, IScale
    {
        if (TScale.IsUniform)
            return (TScale.Count(in extent.Rows, 0) * TScale.Count(in extent.Columns, 0) + 3) / 4;
        int rows = 0;
        int columns = 0;
        int rowEnd = Row + Cells / Width < RowEnd ? Row + Cells / Width : RowEnd;
        for (int row = Row; row < rowEnd; row++)
        {
            int count = TScale.Count(in extent.Rows, row);
            rows = count > rows ? count : rows;
        }
        int columnEnd = Column + Width < extent.Width ? Column + Width : extent.Width;
        for (int column = Column; column < columnEnd; column++)
        {
            int count = TScale.Count(in extent.Columns, column);
            columns = count > columns ? count : columns;
        }
        return (rows * columns + 3) / 4;
    }

    /// <summary>Whether a cell lies in the map and in the band.</summary>
    public readonly bool Holds(int row, int column, int width) => row < RowEnd && column < width;
}
