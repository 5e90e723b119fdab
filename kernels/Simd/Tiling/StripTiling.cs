using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The cut of a band of decoder cells into tiles for the CPU: a few rows of a few strips, a strip being as many columns
/// as a vector has lanes. The rows of the windows are staged once for all rows of a tile, in runs as long as a tile is
/// wide.
/// </summary>
internal readonly struct StripTiling
{
    private const int MostStrips = 4;
    private const int MostRows = 16;

    private readonly RowBand band;
    private readonly int width;
    private readonly int columns;
    private readonly int rows;

    public StripTiling(int width, in RowBand band, int lanes, int mostStrips = MostStrips, int mostRows = MostRows)
    {
        this.width = width;
        this.band = band;
        int strips = Math.Min(mostStrips, (width + lanes - 1) / lanes);
        columns = strips * lanes;
        rows = mostRows;
        while (rows > 4 && Tiles(columns, rows) < band.FewestTiles)
            rows = rows > 8 || strips == 1 ? rows / 2 : Narrow(ref strips, lanes, ref columns, rows);
        rows = Even(band.Rows, rows);
    }

    public long Count => Tiles(columns, rows);

    /// <summary>Gets the rows of a whole tile.</summary>
    public int RowsPerTile => rows;

    /// <summary>Gets the columns of a whole tile.</summary>
    public int ColumnsPerTile => columns;

    public Strip this[long tile]
    {
        get
        {
            int across = (width + columns - 1) / columns;
            int down = (band.Rows + rows - 1) / rows;
            int column = (int)(tile % across);
            tile /= across;
            int row = (int)(tile % down);
            return new Strip
            {
                Image = band.FirstImage + (int)(tile / down),
                Row = band.FirstRow + row * rows,
                RowEnd = band.FirstRow + Math.Min((row + 1) * rows, band.Rows),
                Column = column * columns,
                Columns = Math.Min(columns, width - column * columns),
            };
        }
    }

    // As many tiles, of about as many rows each.
    private static int Even(int all, int rows)
    {
        int tiles = Math.Max(1, (all + rows - 1) / rows);
        return Math.Max(1, (all + tiles - 1) / tiles);
    }

    private static int Narrow(ref int strips, int lanes, ref int columns, int rows)
    {
        strips = (strips + 1) / 2;
        columns = strips * lanes;
        return rows;
    }

    private long Tiles(int wide, int high) =>
        (long)((width + wide - 1) / wide) * ((band.Rows + high - 1) / high) * band.Images;
}

/// <summary>A tile of decoder cells, or one strip of it.</summary>
internal struct Strip
{
    public int Image;
    public int Row;
    public int RowEnd;
    public int Column;
    public int Columns;

    /// <summary>The strips of so many columns each that the cells are worked in.</summary>
    public readonly int Strips(int lanes) => (Columns + lanes - 1) / lanes;

    /// <summary>
    /// The first column of a strip, from the first of the cells. The last strip overlaps the one before, where there is
    /// one, so that it is a whole one as well; what both compute is the same.
    /// </summary>
    public readonly int StripStart(int strip, int lanes) => Math.Min(strip * lanes, Math.Max(0, Columns - lanes));

    /// <summary>Some columns of a tile, fewer where it ends.</summary>
    public readonly Strip Part(int first, int lanes)
    {
        var part = this;
        part.Column += first;
        part.Columns = Math.Min(lanes, Columns - first);
        return part;
    }
}
