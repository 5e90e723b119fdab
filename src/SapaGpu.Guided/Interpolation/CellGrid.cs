
namespace SapaGpu.Guided;

/// <summary>The pixels of a photo over the cells of a low-resolution map.</summary>
/// <param name="Rows">The vertical axis.</param>
/// <param name="Columns">The horizontal axis.</param>
internal sealed record CellGrid(CellAxis Rows, CellAxis Columns)
{
    /// <summary>The side of the smallest square block that can hold the pixels of any cell.</summary>
    public int Scale => Math.Max(Rows.LargestCount, Columns.LargestCount);

    /// <summary>The pixels of a rectangle of cells.</summary>
    public Region PixelsOf(Region cells)
    {
        int row = Rows.FirstPixel(cells.Row), column = Columns.FirstPixel(cells.Column);
        return new Region(
            row, column, Rows.FirstPixel(cells.EndRow) - row, Columns.FirstPixel(cells.EndColumn) - column);
    }
}
