namespace SapaGpu.Guided;

/// <summary>A rectangle of cells or of pixels.</summary>
/// <param name="Row">The first row.</param>
/// <param name="Column">The first column.</param>
/// <param name="Height">The number of rows.</param>
/// <param name="Width">The number of columns.</param>
internal readonly record struct Region(int Row, int Column, int Height, int Width)
{
    /// <summary>The number of cells or pixels.</summary>
    public long Count => (long)Height * Width;

    /// <summary>The row after the last one.</summary>
    public int EndRow => Row + Height;

    /// <summary>The column after the last one.</summary>
    public int EndColumn => Column + Width;

    /// <summary>Adds a margin on all sides, as far as the map goes.</summary>
    public Region Grow(int margin, int mapHeight, int mapWidth)
    {
        int row = Math.Max(0, Row - margin);
        int column = Math.Max(0, Column - margin);
        return new Region(
            row,
            column,
            Math.Min(mapHeight, EndRow + margin) - row,
            Math.Min(mapWidth, EndColumn + margin) - column);
    }

    /// <summary>Cuts the longer side in two.</summary>
    public (Region First, Region Second) Halve()
    {
        int rows = Height / 2, columns = Width / 2;
        return Height >= Width
            ? (this with { Height = rows }, this with { Row = Row + rows, Height = Height - rows })
            : (this with { Width = columns }, this with { Column = Column + columns, Width = Width - columns });
    }
}
