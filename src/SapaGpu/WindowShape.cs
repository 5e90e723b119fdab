using SapaGpu.Kernels;

namespace SapaGpu;

/// <summary>
/// A window-attention problem, from which the shape of every operand follows: a decoder map of H×W cells, brought to
/// s·H × s·W, each output point comparing itself with the K×K window of cells around its own.
/// </summary>
public readonly record struct WindowShape
{
    /// <summary>Creates a problem.</summary>
    /// <param name="batch">B, the number of images.</param>
    /// <param name="height">H, the rows of the decoder map.</param>
    /// <param name="width">W, the columns of the decoder map.</param>
    /// <param name="window">K, the odd width of the window.</param>
    /// <param name="scale">s, the upsampling ratio.</param>
    /// <param name="embeddingChannels">D, the channels of query and key.</param>
    /// <param name="valueChannels">C, the channels of value and output.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1, or an operand has too many elements.</exception>
    public WindowShape(
        int batch, int height, int width, int window, int scale, int embeddingChannels, int valueChannels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(scale, 1);
        if ((long)height * scale > int.MaxValue || (long)width * scale > int.MaxValue)
        {
            throw new ArgumentOutOfRangeException(
                nameof(scale), $"A map of {height}x{width} at scale {scale} has too many rows or columns.");
        }
        Window = window;
        Scale = scale;
        KeyShape = new TensorShape(batch, embeddingChannels, height, width);
        ValueShape = new TensorShape(batch, valueChannels, height, width);
        QueryShape = new TensorShape(batch, embeddingChannels, height * scale, width * scale);
        OutputShape = new TensorShape(batch, valueChannels, height * scale, width * scale);
    }

    /// <summary>Gets K, the odd width of the window.</summary>
    public int Window { get; }

    /// <summary>Gets s, the upsampling ratio.</summary>
    public int Scale { get; }

    /// <summary>Gets the shape of the query, [B, D, s·H, s·W].</summary>
    public TensorShape QueryShape { get; }

    /// <summary>Gets the shape of the key, [B, D, H, W].</summary>
    public TensorShape KeyShape { get; }

    /// <summary>Gets the shape of the value, [B, C, H, W].</summary>
    public TensorShape ValueShape { get; }

    /// <summary>Gets the shape of the output, [B, C, s·H, s·W].</summary>
    public TensorShape OutputShape { get; }

    /// <summary>Gets the shape of scores and weights, [B, K², s·H, s·W], one channel for every tap, row by row.</summary>
    public TensorShape WeightsShape =>
        new(QueryShape.Batch, checked(Window * Window), QueryShape.Height, QueryShape.Width);

    /// <summary>Gets the shape of the log-sum-exp, [B, 1, s·H, s·W].</summary>
    public TensorShape LogSumExpShape => new(QueryShape.Batch, 1, QueryShape.Height, QueryShape.Width);

    internal WindowExtent Extent => new()
    {
        Batch = KeyShape.Batch,
        Height = KeyShape.Height,
        Width = KeyShape.Width,
        Window = Window,
        Scale = Scale,
        EmbeddingChannels = KeyShape.Channels,
        ValueChannels = ValueShape.Channels,
    };

    internal RowBand WholeBand => new()
    {
        FirstImage = 0,
        Images = KeyShape.Batch,
        FirstRow = 0,
        Rows = KeyShape.Height,
    };
}
