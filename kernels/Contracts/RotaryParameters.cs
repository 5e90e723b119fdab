namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of rotary positions and their backward.</summary>
internal struct RotaryParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>C, the channels.</summary>
    public int Channels;

    /// <summary>H, the rows.</summary>
    public int Height;

    /// <summary>W, the columns.</summary>
    public int Width;

    /// <summary>D, the channels of a head, whose halves are the two components; C is a multiple.</summary>
    public int HeadChannels;

    /// <summary>Periods, [1, D/4, 1, 1], or angles of rows and columns, [2, D, 1, 1].</summary>
    public MapView<TReal> Frequencies;

    /// <summary>The input, [B, C, H, W].</summary>
    public MapView<TStorage> Input;

    /// <summary>The gradient of the output, [B, C, H, W]; of the backward only.</summary>
    public MapView<TStorage> Gradient;

    /// <summary>The output or the gradient of the input, [B, C, H, W].</summary>
    public MapView<TStorage> Result;

    /// <summary>
    /// Sums over a row of the gradient of the angle, [B, 2·C, H, 1]: times the row's coordinate, then times the column's.
    /// </summary>
    public MapView<TReal> Sums;
}
