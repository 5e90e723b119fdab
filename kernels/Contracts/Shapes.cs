namespace SapaGpu.Kernels;

/// <summary>
/// How the queries of one axis belong to the cells of a decoder map. Query q belongs to cell ⌊q·cells/queries⌋, so the
/// queries of a cell are a contiguous run; an integer ratio gives every cell the same number.
/// </summary>
public struct AxisGrid
{
    /// <summary>The cells, H or W of the decoder map.</summary>
    public int Cells;

    /// <summary>The queries, H or W of the output.</summary>
    public int Queries;

    /// <summary>The queries of every cell where all have the same number, else 0.</summary>
    public int Scale;

    /// <summary>
    /// The cells at either end that own no query: theirs belong to the next cell towards the middle, so that the whole
    /// window of every query lies inside the map (borders of the kind Shifted).
    /// </summary>
    public int Lead;

    /// <summary>The first query of a cell, or of any later one if the cell has none.</summary>
    public readonly int First(int cell)
    {
        if (Scale > 0)
            return cell * Scale;
        if (cell <= Lead)
            return 0;
        return cell >= Cells - Lead ? Queries : (int)(((long)cell * Queries + Cells - 1) / Cells);
    }

    /// <summary>The cell around which the window of a query lies, where no window is moved.</summary>
    public readonly int CellOf(int query) => (int)((long)query * Cells / Queries);

    /// <summary>The queries of a cell.</summary>
    public readonly int Count(int cell) => Scale > 0 ? Scale : First(cell + 1) - First(cell);

    /// <summary>The largest number of queries that a cell may have.</summary>
    public readonly int MaximumCount =>
        Scale > 0 ? Scale : (int)Math.Min(Queries, (2L * Lead + 1) * Queries / Cells + 1);
}

/// <summary>
/// The extent of a window-attention problem. Every operand's shape follows from it; B is the batch, H×W the decoder
/// map, OH×OW the output, K the window, D the channels that are compared, C the channels that are reassembled.
/// </summary>
public struct WindowExtent
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>H rows of the decoder map, OH rows of the output.</summary>
    public AxisGrid Rows;

    /// <summary>W columns of the decoder map, OW columns of the output.</summary>
    public AxisGrid Columns;

    /// <summary>K, the odd width of the window.</summary>
    public int Window;

    /// <summary>D, the channels of query and key.</summary>
    public int EmbeddingChannels;

    /// <summary>C, the channels of value and output.</summary>
    public int ValueChannels;

    /// <summary>Gets H, the rows of the decoder map.</summary>
    public readonly int Height => Rows.Cells;

    /// <summary>Gets W, the columns of the decoder map.</summary>
    public readonly int Width => Columns.Cells;

    /// <summary>Gets ⌊K/2⌋.</summary>
    public readonly int Radius => Window / 2;

    /// <summary>Gets K², the taps of a window.</summary>
    public readonly int Taps => Window * Window;

    /// <summary>Gets whether every cell has the same number of queries.</summary>
    public readonly bool IsUniform => Rows.Scale > 0 && Columns.Scale > 0;
}

/// <summary>A contiguous run of decoder rows, across a run of images, that one launch works on.</summary>
public struct RowBand
{
    /// <summary>The first image.</summary>
    public int FirstImage;

    /// <summary>The number of images.</summary>
    public int Images;

    /// <summary>The first decoder row in each image.</summary>
    public int FirstRow;

    /// <summary>The number of decoder rows in each image.</summary>
    public int Rows;

    /// <summary>
    /// The tiles that the vector programs cut it into at least, where it is large enough: every thread should have some, and
    /// the fewer they are, the less is staged twice. What is computed is the same, whatever the tiles.
    /// </summary>
    public int FewestTiles;
}

/// <summary>How the cells of a band are cut into tiles, one for each thread group.</summary>
public struct CellTiling
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
    /// <param name="capacity">The accumulators that a group has room for.</param>
    /// <param name="accumulatorsPerCell">The accumulators that a cell needs.</param>
    /// <param name="widest">
    /// The most cells of a tile in a row, a power of two. Square tiles share most of their windows; where the cells of a row
    /// lie side by side in memory, wide ones are read by longer runs.
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
