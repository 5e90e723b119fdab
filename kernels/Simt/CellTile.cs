using ILGPU;

namespace SapaGpu.Kernels.Simt;

/// <summary>The tile of decoder cells that a thread group owns, and the quad of queries it is working on.</summary>
/// <remarks>
/// The s² queries of a cell share one window and are worked in quads of four; a quad that is not full repeats its last
/// query, which is computed and not written.
/// </remarks>
public struct CellTile
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

    /// <summary>Whether a cell lies in the map and in the band.</summary>
    public readonly bool Holds(int row, int column, int width) => row < RowEnd && column < width;
}

/// <summary>The positions, in a map of query resolution, of the four queries of a quad.</summary>
public struct QuadOffsets
{
    /// <summary>The first query.</summary>
    public long X;

    /// <summary>The second query.</summary>
    public long Y;

    /// <summary>The third query.</summary>
    public long Z;

    /// <summary>The fourth query.</summary>
    public long W;

    /// <summary>Moves all four positions on.</summary>
    public void Advance(long step)
    {
        X += step;
        Y += step;
        Z += step;
        W += step;
    }

    /// <summary>Finds the positions in a map; a query past the last repeats the last.</summary>
    public static QuadOffsets Locate<T>(in MapView<T> map, int image, int row, int column, int quad, int scale)
        where T : unmanaged => new()
        {
            X = Query(in map, image, row, column, quad * 4, scale),
            Y = Query(in map, image, row, column, quad * 4 + 1, scale),
            Z = Query(in map, image, row, column, quad * 4 + 2, scale),
            W = Query(in map, image, row, column, quad * 4 + 3, scale),
        };

    /// <summary>Finds the position of one query of a cell in a map.</summary>
    public static long Query<T>(in MapView<T> map, int image, int row, int column, int query, int scale)
        where T : unmanaged
    {
        int last = scale * scale - 1;
        int index = query < last ? query : last;
        return map.Offset(image, 0, row * scale + index / scale, column * scale + index % scale);
    }
}
