using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>The cut of a convolution's output into rectangles.</summary>
internal readonly struct ConvolutionTiling
{
    private const int PreferredColumns = 48;

    // Rows share what they stage with the next ones, but small maps are cut into enough tiles for many threads.
    private const int MostRows = 4;
    private const int LeastTiles = 64;

    private readonly int height;
    private readonly int width;

    public ConvolutionTiling(in PointwiseExtent extent, int kernel)
    {
        height = extent.Height;
        width = extent.Width;
        Columns = PixelSpan.EvenLength(in extent, PreferredColumns);
        long runs = extent.Runs(Columns);
        Rows = kernel == 1 ? 1 : (int)Math.Clamp(runs / LeastTiles, 1, Math.Min(MostRows, extent.Height));
        Count = (long)extent.Batch * Down * Across;
    }

    /// <summary>Gets the number of rectangles.</summary>
    public long Count { get; }

    /// <summary>Gets the most rows of a rectangle.</summary>
    public int Rows { get; }

    /// <summary>Gets the most columns of a rectangle.</summary>
    public int Columns { get; }

    private int Down => (height + Rows - 1) / Rows;

    private int Across => (width + Columns - 1) / Columns;

    /// <summary>Returns a rectangle.</summary>
    public ConvolutionBlock this[long tile]
    {
        get
        {
            (long down, long across) = Math.DivRem(tile, Across);
            (long image, down) = Math.DivRem(down, Down);
            int row = (int)down * Rows;
            int column = (int)across * Columns;
            return new ConvolutionBlock(
                (int)image, row, column, Math.Min(Rows, height - row), Math.Min(Columns, width - column));
        }
    }
}

/// <summary>A rectangle of the output of a convolution.</summary>
internal readonly record struct ConvolutionBlock(int Image, int Row, int Column, int Rows, int Columns)
{
    /// <summary>One of its rows.</summary>
    public PixelSpan RowOf(int row) => new() { Image = Image, Row = Row + row, Column = Column, Count = Columns };
}
