namespace SapaGpu.Guided;

/// <summary>
/// The cells of a rectangle whose pixels may change class: those within two cells of another class. All others keep theirs, so
/// that work follows the length of edges, not the area.
/// </summary>
internal sealed class ActiveCells
{
    /// <summary>The distance within which another class makes a cell active.</summary>
    public const int Distance = 2;

    private readonly Region cells;
    private readonly bool[] active;

    private ActiveCells(Region cells, bool[] active)
    {
        this.cells = cells;
        this.active = active;
    }

    /// <summary>Finds the active cells of a rectangle.</summary>
    /// <param name="cells">The rectangle.</param>
    /// <param name="channels">The channels of a cell.</param>
    /// <param name="values">The class of every cell as a 1 in its channel, or a 0 or 1 in a single one.</param>
    public static ActiveCells Find(Region cells, int channels, ReadOnlySpan<float> values)
    {
        var active = new bool[cells.Count];
        for (int row = 0; row < cells.Height; row++)
        {
            for (int column = 0; column < cells.Width; column++)
            {
                int cell = row * cells.Width + column;
                var value = values.Slice(cell * channels, channels);
                if (column > 0 && !value.SequenceEqual(values.Slice((cell - 1) * channels, channels)))
                    active[cell] = active[cell - 1] = true;
                if (row > 0 && !value.SequenceEqual(values.Slice((cell - cells.Width) * channels, channels)))
                    active[cell] = active[cell - cells.Width] = true;
            }
        }
        return new ActiveCells(cells, active).Grow(Distance - 1);
    }

    /// <summary>The active cells of a part of the rectangle.</summary>
    public ActiveCells Within(Region part)
    {
        var inside = new bool[part.Count];
        for (int row = 0; row < part.Height; row++)
        {
            active.AsSpan((part.Row + row - cells.Row) * cells.Width + part.Column - cells.Column, part.Width)
                .CopyTo(inside.AsSpan(row * part.Width));
        }
        return new ActiveCells(part, inside);
    }

    /// <summary>Whether a cell of the map is active.</summary>
    public bool Has(int row, int column) => active[(row - cells.Row) * cells.Width + column - cells.Column];

    /// <summary>These cells and all within a distance of them.</summary>
    public ActiveCells Grow(int distance)
    {
        var grown = new bool[active.Length];
        for (int row = 0; row < cells.Height; row++)
        {
            for (int column = 0; column < cells.Width; column++)
            {
                if (!active[row * cells.Width + column])
                    continue;
                var around = new Region(row, column, 1, 1).Grow(distance, cells.Height, cells.Width);
                for (int y = around.Row; y < around.EndRow; y++)
                    grown.AsSpan(y * cells.Width + around.Column, around.Width).Fill(true);
            }
        }
        return new ActiveCells(cells, grown);
    }

    /// <summary>The smallest rectangle with all active cells of an area; empty if there are none.</summary>
    public Region Bound(Region area)
    {
        int top = int.MaxValue, left = int.MaxValue, bottom = 0, right = 0;
        for (int row = area.Row; row < area.EndRow; row++)
        {
            for (int column = area.Column; column < area.EndColumn; column++)
            {
                if (!Has(row, column))
                    continue;
                (top, bottom) = (Math.Min(top, row), row + 1);
                (left, right) = (Math.Min(left, column), Math.Max(right, column + 1));
            }
        }
        return bottom == 0 ? new Region(area.Row, area.Column, 0, 0) : new Region(top, left, bottom - top, right - left);
    }

    /// <summary>The runs of active pixels in every row of pixels, counted from the rectangle's first column.</summary>
    public PixelRuns Runs(CellGrid grid)
    {
        var pixels = grid.PixelsOf(cells);
        var rows = new (int Start, int End)[pixels.Height][];
        var runs = new List<(int Start, int End)>();
        for (int row = cells.Row; row < cells.EndRow; row++)
        {
            runs.Clear();
            for (int column = cells.Column; column < cells.EndColumn; column++)
            {
                if (!Has(row, column))
                    continue;
                int start = grid.Columns.FirstPixel(column) - pixels.Column, end = grid.Columns.FirstPixel(column + 1) - pixels.Column;
                if (runs.Count > 0 && runs[^1].End == start)
                    runs[^1] = (runs[^1].Start, end);
                else
                    runs.Add((start, end));
            }
            var all = runs.ToArray();
            for (int y = grid.Rows.FirstPixel(row); y < grid.Rows.FirstPixel(row + 1); y++)
                rows[y - pixels.Row] = all;
        }
        return new PixelRuns(rows);
    }
}

/// <summary>Runs of pixels in every row of a rectangle.</summary>
internal sealed record PixelRuns((int Start, int End)[][] Rows);
