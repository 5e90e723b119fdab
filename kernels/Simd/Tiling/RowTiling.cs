namespace SapaGpu.Kernels.Simd;

/// <summary>The cut of the rows of a batch of maps into tiles of about the same number of values.</summary>
internal readonly struct RowTiling
{
    private readonly int height;
    private readonly int rowsPerTile;

    public RowTiling(int height, long valuesPerRow, int valuesPerTile)
    {
        this.height = height;
        rowsPerTile = (int)Math.Clamp(valuesPerTile / Math.Max(1, valuesPerRow), 1, height);
    }

    private int TilesDown => (height + rowsPerTile - 1) / rowsPerTile;

    public RowRange this[long tile]
    {
        get
        {
            (long image, long down) = Math.DivRem(tile, TilesDown);
            int first = (int)down * rowsPerTile;
            return new RowRange
            {
                Image = (int)image,
                First = first,
                End = Math.Min(height, first + rowsPerTile),
            };
        }
    }

    public long Count(long images) => images * TilesDown;
}

/// <summary>Some rows of one image.</summary>
internal struct RowRange
{
    public int Image;
    public int First;
    public int End;
}
