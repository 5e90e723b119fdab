namespace SapaGpu.Cli.Guided;

/// <summary>Passes on what lies in a window of a map, with positions that count from the window's corner.</summary>
internal sealed class WindowSink(IMapSink inner, Region window, int channels) : IMapSink
{
    /// <inheritdoc/>
    public void Write(Region pixels, ReadOnlySpan<float> samples)
    {
        int firstRow = Math.Max(pixels.Row, window.Row), endRow = Math.Min(pixels.EndRow, window.EndRow);
        int first = Math.Max(pixels.Column, window.Column), end = Math.Min(pixels.EndColumn, window.EndColumn);
        if (firstRow >= endRow || first >= end)
            return;
        for (int row = firstRow; row < endRow; row++)
        {
            int from = ((row - pixels.Row) * pixels.Width + first - pixels.Column) * channels;
            inner.Write(
                new Region(row - window.Row, first - window.Column, 1, end - first),
                samples.Slice(from, (end - first) * channels));
        }
    }
}
