namespace SapaGpu;

/// <summary>The logical dimensions of a map, [B, C, H, W], whatever its memory format.</summary>
public readonly record struct MapShape
{
    /// <summary>Creates a shape.</summary>
    /// <param name="batch">B, the number of images.</param>
    /// <param name="channels">C, the number of channels.</param>
    /// <param name="height">H, the number of rows.</param>
    /// <param name="width">W, the number of columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">A dimension is below 1, or the product reaches 2⁶⁰.</exception>
    public MapShape(int batch, int channels, int height, int width)
    {
        Batch = batch;
        Channels = channels;
        Height = height;
        Width = width;
        if (batch < 1 || channels < 1 || height < 1 || width < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(batch), $"Every dimension of a map must be at least 1; got {this}.");
        }
        Int128 count = (Int128)batch * channels * height * width;
        if (count > long.MaxValue / sizeof(double))
        {
            throw new ArgumentOutOfRangeException(
                nameof(batch), $"A map of shape {this} has too many elements; a map has less than 2⁶⁰.");
        }
        ElementCount = (long)count;
    }

    /// <summary>Gets B, the number of images.</summary>
    public int Batch { get; }

    /// <summary>Gets C, the number of channels.</summary>
    public int Channels { get; }

    /// <summary>Gets H, the number of rows.</summary>
    public int Height { get; }

    /// <summary>Gets W, the number of columns.</summary>
    public int Width { get; }

    /// <summary>Gets the number of elements, B·C·H·W.</summary>
    public long ElementCount { get; }

    /// <summary>Returns the dimensions, such as "[1, 256, 120, 120]".</summary>
    public override string ToString() => $"[{Batch}, {Channels}, {Height}, {Width}]";
}
