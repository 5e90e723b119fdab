namespace SapaGpu.Kernels.Contracts;

/// <summary>How the cells of a band are cut into tiles, one for each thread group.</summary>
internal struct CellTiling
{
    private const int SquareWidth = 8;

    /// <summary>The cells of a tile in a row.</summary>
    public int TileWidth;

    /// <summary>The rows of a tile.</summary>
    public int TileHeight;

    /// <summary>The tiles in a row.</summary>
    public int TilesAcross;

    /// <summary>The tiles in a column.</summary>
    public int TilesDown;

    /// <summary>Gets the cells of a tile.</summary>
    public readonly int Cells => TileWidth * TileHeight;

    /// <summary>The number of tiles of the band.</summary>
    public readonly long Count(int images) => (long)TilesAcross * TilesDown * images;

    /// <summary>
    /// Cuts a band into tiles of as many cells, a power of two up to 64, as <paramref name="capacity"/> accumulators
    /// hold when every cell needs <paramref name="accumulatorsPerCell"/> of them.
    /// </summary>
    /// <param name="width">The cells of a row of the map.</param>
    /// <param name="band">The band.</param>
    /// <param name="capacity">The accumulators that a group has space for.</param>
    /// <param name="accumulatorsPerCell">The accumulators that a cell needs.</param>
    /// <param name="widest">
    /// The most cells of a tile in a row, a power of two. Square tiles share most of their windows; where the cells of
    /// a row lie side by side in memory, wide ones are read by longer runs.
    /// </param>
    public static CellTiling Create(
        int width, in RowBand band, int capacity, int accumulatorsPerCell, int widest = SquareWidth)
    {
        int cells = 64;
        while (cells > 1 && (long)cells * accumulatorsPerCell > capacity)
            cells /= 2;
        int tileWidth = Math.Min(cells, widest);
        while (tileWidth > SquareWidth && tileWidth >= 2 * width)
            tileWidth /= 2;
        int tileHeight = cells / tileWidth;
        return new CellTiling
        {
            TileWidth = tileWidth,
            TileHeight = tileHeight,
            TilesAcross = (width + tileWidth - 1) / tileWidth,
            TilesDown = (band.Rows + tileHeight - 1) / tileHeight,
        };
    }
}
