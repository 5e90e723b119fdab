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
    /// <summary>Gives every pixel the value of its cell.</summary>
    public void Enlarge(CellGrid grid, Stream output)
    {
        int cellBytes = grid.Columns.Cells * PixelBytes;
        var line = new byte[grid.Columns.Pixels * PixelBytes];
        for (int plane = 0; plane < Planes; plane++)
        {
            for (int y = 0; y < grid.Rows.Pixels; y++)
            {
                long row = (long)plane * grid.Rows.Cells + grid.Rows.CellOf(y);
                var cells = Bytes.AsSpan((int)(row * cellBytes), cellBytes);
                for (int x = 0; x < grid.Columns.Pixels; x++)
                {
                    cells.Slice(grid.Columns.CellOf(x) * PixelBytes, PixelBytes)
                        .CopyTo(line.AsSpan(x * PixelBytes));
                }
                output.Write(line);
            }
        }
    }
}
