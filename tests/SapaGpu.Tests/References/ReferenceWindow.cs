namespace SapaGpu.Tests;

/// <summary>Which cell of the decoder map a tap of a window stands for.</summary>
public static class ReferenceWindow
{
    /// <summary>
    /// The cell of a tap of the window of query (y, x); none where the tap lies outside and counts for nothing.
    /// </summary>
    public static (int Row, int Column)? Cell(
        MapShape map, MapShape queries, WindowAttentionOptions options, int y, int x, int tap)
    {
        var row = OnAxis(map.Height, queries.Height, options, y, tap / options.Window);
        var column = OnAxis(map.Width, queries.Width, options, x, tap % options.Window);
        return row is null || column is null ? null : (row.Value, column.Value);
    }

    private static int? OnAxis(int cells, int queries, WindowAttentionOptions options, int query, int tap)
    {
        int centre = query * cells / queries;
        int first = centre - options.Window / 2;
        if (options.Border == BorderRule.Shifted)
            first = Math.Min(Math.Max(first, 0), cells - options.Window);
        int cell = first + tap;
        if (options.Border == BorderRule.Replicate)
            cell = Math.Min(Math.Max(cell, 0), cells - 1);
        return cell >= 0 && cell < cells ? cell : null;
    }
}
