namespace SapaGpu.Kernels;

/// <summary>
/// The extent of a window-attention problem. Every operand's shape follows from it; B is the batch, H×W the decoder
/// map, s the scale, K the window, D the channels that are compared, C the channels that are reassembled.
/// </summary>
public struct WindowExtent
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>H, the rows of the decoder map.</summary>
    public int Height;

    /// <summary>W, the columns of the decoder map.</summary>
    public int Width;

    /// <summary>K, the odd width of the window.</summary>
    public int Window;

    /// <summary>s, the upsampling ratio.</summary>
    public int Scale;

    /// <summary>D, the channels of query and key.</summary>
    public int EmbeddingChannels;

    /// <summary>C, the channels of value and output.</summary>
    public int ValueChannels;

    /// <summary>Gets ⌊K/2⌋.</summary>
    public readonly int Radius => Window / 2;

    /// <summary>Gets K², the taps of a window.</summary>
    public readonly int Taps => Window * Window;

    /// <summary>Gets s², the queries that share the window of one cell.</summary>
    public readonly int QueriesPerCell => Scale * Scale;

    /// <summary>Gets the groups of up to four queries that a cell is worked in.</summary>
    public readonly int Quads => (QueriesPerCell + 3) / 4;

    /// <summary>Gets s·H.</summary>
    public readonly int OutputHeight => Height * Scale;

    /// <summary>Gets s·W.</summary>
    public readonly int OutputWidth => Width * Scale;
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
}

/// <summary>How the cells of a band are cut into tiles, one for each thread group.</summary>
public struct CellTiling
{
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
    public static CellTiling Create(int width, in RowBand band, int capacity, int accumulatorsPerCell)
    {
        int cells = 64;
        while (cells > 1 && (long)cells * accumulatorsPerCell > capacity)
            cells /= 2;
        int tileWidth = cells >= 8 ? 8 : cells;
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
