namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The cut of a band of decoder cells into tiles for the CPU: strips of as many columns as a vector has lanes, a few
/// rows high, so that the rows of the window are staged once for all rows of the tile. It depends on the problem only,
/// never on the number of threads.
/// </summary>
internal readonly struct StripTiling
{
    private const int RowsPreferred = 16;
    private const int TilesPreferred = 64;

    private readonly RowBand band;
    private readonly int width;
    private readonly int columns;
    private readonly int rows;

    public StripTiling(int width, in RowBand band, int columns)
    {
        this.width = width;
        this.band = band;
        this.columns = columns;
        rows = RowsPreferred;
        while (rows > 2 && Tiles(rows) < TilesPreferred)
            rows /= 2;
    }

    public long Count => Tiles(rows);

    /// <summary>Gets the rows of a whole tile.</summary>
    public int RowsPerTile => rows;

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

    private long Tiles(int height) =>
        (long)((width + columns - 1) / columns) * ((band.Rows + height - 1) / height) * band.Images;
}

/// <summary>A tile of decoder cells.</summary>
internal struct Strip
{
    public int Image;
    public int Row;
    public int RowEnd;
    public int Column;
    public int Columns;
}
