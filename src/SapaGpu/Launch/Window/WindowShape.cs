using SapaGpu.Kernels.Contracts;

namespace SapaGpu;

/// <summary>
/// The shape of a window-attention problem, from which the shapes of all operands follow: a decoder map of H×W cells is
/// upsampled to OH×OW, and every output position attends to the K×K window of cells around its own.
/// </summary>
/// <remarks>
/// Output position (y, x) belongs to cell (⌊y·H/OH⌋, ⌊x·W/OW⌋). Any two sizes can be combined;
/// <see cref="OperatorSupport"/> tells which problems are supported.
/// </remarks>
public readonly record struct WindowShape
{
    // The largest whose square is a number of channels.
    private const int LargestWindow = 46340;

    /// <summary>Creates the shape of a problem with an integer ratio.</summary>
    /// <param name="batch">B, the number of images.</param>
    /// <param name="height">H, the rows of the decoder map.</param>
    /// <param name="width">W, the columns of the decoder map.</param>
    /// <param name="window">K, the width of the window; operators require it to be odd.</param>
    /// <param name="scale">s, the upsampling ratio; the output is s·H × s·W.</param>
    /// <param name="embeddingChannels">D, the channels of query and key.</param>
    /// <param name="valueChannels">C, the channels of value and output.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A number is below 1, or an operand has too many elements.
    /// </exception>
    public WindowShape(
        int batch, int height, int width, int window, int scale, int embeddingChannels, int valueChannels)
        : this(
            new MapShape(batch, embeddingChannels, height, width),
            valueChannels,
            Scaled(height, scale),
            Scaled(width, scale),
            window)
    {
    }

    /// <summary>Creates the shape of a problem with an output of any size.</summary>
    /// <param name="key">The shape of the key, [B, D, H, W].</param>
    /// <param name="valueChannels">C, the channels of value and output.</param>
    /// <param name="outputHeight">OH, the rows of the output.</param>
    /// <param name="outputWidth">OW, the columns of the output.</param>
    /// <param name="window">K, the width of the window; operators require it to be odd.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A number is below 1, or an operand has too many elements.
    /// </exception>
    public WindowShape(MapShape key, int valueChannels, int outputHeight, int outputWidth, int window)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 1);
        Window = window;
        KeyShape = key;
        ValueShape = new MapShape(key.Batch, valueChannels, key.Height, key.Width);
        QueryShape = new MapShape(key.Batch, key.Channels, outputHeight, outputWidth);
        OutputShape = new MapShape(key.Batch, valueChannels, outputHeight, outputWidth);
    }

    /// <summary>Gets K, the width of the window.</summary>
    public int Window { get; }

    /// <summary>Gets s, the upsampling ratio, if it is the same integer for rows and columns; otherwise 0.</summary>
    public int Scale
    {
        get
        {
            // A shape that was never set has no ratio.
            int scale = KeyShape.Height == 0 ? 0 : QueryShape.Height / KeyShape.Height;
            return QueryShape.Height == scale * KeyShape.Height && QueryShape.Width == (long)scale * KeyShape.Width
                ? scale
                : 0;
        }
    }

    /// <summary>Gets the shape of the query, [B, D, OH, OW].</summary>
    public MapShape QueryShape { get; }

    /// <summary>Gets the shape of the key, [B, D, H, W].</summary>
    public MapShape KeyShape { get; }

    /// <summary>Gets the shape of the value, [B, C, H, W].</summary>
    public MapShape ValueShape { get; }

    /// <summary>Gets the shape of the output, [B, C, OH, OW].</summary>
    public MapShape OutputShape { get; }

    /// <summary>
    /// Gets the shape of the scores and weights of one head, [B, K², OH, OW]: one channel per tap, the taps row by row;
    /// the default of a shape that was never set, and of windows with more taps than an int counts.
    /// </summary>
    public MapShape WeightsShape => Window is > 0 and <= LargestWindow
        ? new(QueryShape.Batch, Window * Window, QueryShape.Height, QueryShape.Width)
        : default;

    internal RowBand WholeBand => new()
    {
        FirstImage = 0,
        Images = KeyShape.Batch,
        FirstRow = 0,
        Rows = KeyShape.Height,
    };

    internal WindowExtent Extent(BorderRule border)
    {
        int emptyEdgeCells = border == BorderRule.Shifted ? Window / 2 : 0;
        return new WindowExtent
        {
            Batch = KeyShape.Batch,
            Rows = Axis(KeyShape.Height, QueryShape.Height, emptyEdgeCells),
            Columns = Axis(KeyShape.Width, QueryShape.Width, emptyEdgeCells),
            Window = Window,
            EmbeddingChannels = KeyShape.Channels,
            ValueChannels = ValueShape.Channels,
        };
    }

    /// <summary>The assignment of the queries of an axis to its cells.</summary>
    internal static AxisGrid Axis(int cells, int queries, int emptyEdgeCells = 0) => new()
    {
        Cells = cells,
        Queries = queries,
        Scale = emptyEdgeCells == 0 && queries % cells == 0 ? queries / cells : 0,
        EmptyEdgeCells = emptyEdgeCells,
    };

    private static int Scaled(int size, int scale)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(scale, 1);
        return (long)size * scale <= int.MaxValue
            ? size * scale
            : throw new ArgumentOutOfRangeException(
                nameof(scale),
                $"{size} rows or columns times scale {scale} exceed {int.MaxValue:N0}; use a smaller scale.");
    }
}
