namespace SapaGpu.Guided;

/// <summary>Every pixel takes the value of its own cell.</summary>
internal sealed class NearestInterpolator(CellGrid grid) : IInterpolator
{
    public int Reach => 0;

    public int WorkingChannels => 0;

    public void Interpolate(
        Region cells, Region surroundings, int channels, ReadOnlySpan<float> values, Span<float> output)
    {
        var pixels = grid.PixelsOf(cells);
        int rowLength = pixels.Width * channels;
        int next = 0;
        for (int cellRow = cells.Row; cellRow < cells.EndRow; cellRow++)
        {
            // All rows of pixels of a row of cells are alike.
            var first = output.Slice(next, rowLength);
            FillRow(cells, pixels, (cellRow - surroundings.Row) * surroundings.Width - surroundings.Column, channels, values, first);
            next += rowLength;
            for (int row = 1; row < grid.Rows.CountOf(cellRow); row++, next += rowLength)
                first.CopyTo(output[next..]);
        }
    }

    private void FillRow(
        Region cells, Region pixels, int cellsBefore, int channels, ReadOnlySpan<float> values, Span<float> row)
    {
        for (int column = cells.Column; column < cells.EndColumn; column++)
        {
            var cell = values.Slice((cellsBefore + column) * channels, channels);
            var target = row.Slice(
                (grid.Columns.FirstPixel(column) - pixels.Column) * channels, grid.Columns.CountOf(column) * channels);
            if (channels == 1)
            {
                target.Fill(cell[0]);
                continue;
            }
            for (int i = 0; i < target.Length; i += channels)
                cell.CopyTo(target[i..]);
        }
    }
}
