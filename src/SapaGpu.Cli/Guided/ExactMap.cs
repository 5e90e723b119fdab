namespace SapaGpu.Cli.Guided;

/// <summary>
/// The values of a map as the bytes of its file, for files whose values single precision does not hold: nearest copies
/// them without making numbers of them.
/// </summary>
/// <param name="Bytes">The values, plane by plane and row by row.</param>
/// <param name="Planes">The planes: the channels, or one if those of a pixel lie side by side.</param>
/// <param name="PixelBytes">The bytes of a pixel in a plane.</param>
internal sealed record ExactMap(byte[] Bytes, int Planes, int PixelBytes)
{
    /// <summary>A rectangle of the cells.</summary>
    /// <param name="cells">The rectangle.</param>
    /// <param name="height">The rows of this map.</param>
    /// <param name="width">The columns of this map.</param>
    public ExactMap Cut(Region cells, int height, int width)
    {
        var cut = new byte[Planes * cells.Count * PixelBytes];
        int length = cells.Width * PixelBytes;
        for (int plane = 0; plane < Planes; plane++)
        {
            for (int row = 0; row < cells.Height; row++)
            {
                int from = ((plane * height + cells.Row + row) * width + cells.Column) * PixelBytes;
                Bytes.AsSpan(from, length).CopyTo(cut.AsSpan((plane * cells.Height + row) * length));
            }
        }
        return this with { Bytes = cut };
    }

    /// <summary>Gives every pixel of a window the value of its cell.</summary>
    public void Enlarge(CellGrid grid, Region window, Stream output)
    {
        int cellBytes = grid.Columns.Cells * PixelBytes;
        var line = new byte[window.Width * PixelBytes];
        for (int plane = 0; plane < Planes; plane++)
        {
            for (int y = window.Row; y < window.EndRow; y++)
            {
                long row = (long)plane * grid.Rows.Cells + grid.Rows.CellOf(y);
                var cells = Bytes.AsSpan((int)(row * cellBytes), cellBytes);
                for (int x = 0; x < window.Width; x++)
                {
                    cells.Slice(grid.Columns.CellOf(window.Column + x) * PixelBytes, PixelBytes)
                        .CopyTo(line.AsSpan(x * PixelBytes));
                }
                output.Write(line);
            }
        }
    }
}
