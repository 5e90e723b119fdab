namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The extent of a window-attention problem. Every operand's shape follows from it; B is the batch, H×W the decoder
/// map, OH×OW the output, K the window, D the channels that are compared, C the channels that are reassembled.
/// </summary>
internal struct WindowExtent
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
