namespace SapaGpu.Guided;

/// <summary>
/// One axis of a photo over the cells of a low-resolution map. Pixel i belongs to cell ⌊i·cells/pixels⌋; if the number
/// of pixels is not a multiple of the number of cells, some cells have one pixel fewer than others.
/// </summary>
internal sealed record CellAxis(int Cells, int Pixels)
{
    /// <summary>The largest number of pixels that a cell has.</summary>
    public int LargestCount => (Pixels + Cells - 1) / Cells;

    /// <summary>The first pixel of a cell; that of the cell after the last is the number of pixels.</summary>
    public int FirstPixel(int cell) => (int)(((long)cell * Pixels + Cells - 1) / Cells);

    /// <summary>The number of pixels of a cell.</summary>
    public int CountOf(int cell) => FirstPixel(cell + 1) - FirstPixel(cell);

    /// <summary>The cell that a pixel belongs to.</summary>
    public int CellOf(int pixel) => (int)((long)pixel * Cells / Pixels);

    /// <summary>The centre of a pixel in units of cells, where cell c has its centre at c.</summary>
    public double PositionOf(int pixel) => (pixel + 0.5) * Cells / Pixels - 0.5;
}
