namespace SapaGpu.Kernels.Simt;

/// <summary>A place in a rectangle that is gone through row by row.</summary>
internal struct CrossPlace
{
    private readonly int firstColumn;
    private readonly int endColumn;

    public int Row;
    public int Column;

    public CrossPlace(int firstRow, int firstColumn, int width, int number)
    {
        this.firstColumn = firstColumn;
        endColumn = firstColumn + width;
        int row = number / width;
        Row = firstRow + row;
        Column = firstColumn + number - row * width;
    }

    /// <summary>Goes on to the next place.</summary>
    public void Advance()
    {
        Column++;
        if (Column == endColumn)
        {
            Column = firstColumn;
            Row++;
        }
    }
}
