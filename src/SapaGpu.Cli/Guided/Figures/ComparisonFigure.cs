using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided.Figures;

/// <summary>Panels of one size in two rows, with captions.</summary>
internal static class ComparisonFigure
{
    private const int Rows = 2;
    private const int Margin = 16;
    private const int DotSize = 2;
    private const int LineHeight = BitmapFont.LineHeight * DotSize;
    private const int SmallestPanel = 400;
    private const int LargestPanel = 640;
    private const byte Background = byte.MaxValue;

    private static readonly byte[] Ink = [20, 20, 20];

    /// <summary>
    /// Draws panels, the first row first. Large pictures are averaged down; small ones are enlarged a whole number of
    /// times. A picture that is smaller than the first one is drawn that much smaller.
    /// </summary>
    public static Photo Draw(IReadOnlyList<Panel> panels)
    {
        var first = panels[0].Picture;
        double factor = Factor(first.Width);
        int width = Scaled(first.Width, factor), height = Scaled(first.Height, factor);
        int columns = (panels.Count + Rows - 1) / Rows;
        var rows = panels.Chunk(columns).ToList();
        var captionHeights = rows.ConvertAll(row => row.Max(panel => panel.Caption.Count) * LineHeight);

        var figure = new Photo(
            Margin + captionHeights.Sum() + rows.Count * (height + Margin), Margin + columns * (width + Margin));
        Array.Fill(figure.Samples, Background);
        int top = Margin;
        for (int row = 0; row < rows.Count; row++)
        {
            top += captionHeights[row];
            for (int i = 0; i < rows[row].Length; i++)
                Draw(figure, rows[row][i], top, Margin + i * (width + Margin), factor);
            top += height + Margin;
        }
        return figure;
    }

    private static void Draw(Photo figure, Panel panel, int top, int left, double factor)
    {
        for (int line = 0; line < panel.Caption.Count; line++)
        {
            int row = top - (panel.Caption.Count - line) * LineHeight;
            BitmapFont.Draw(figure, panel.Caption[line], row, left, DotSize, Ink);
        }
        var picture = panel.Picture;
        figure.Paste(picture.Resize(Scaled(picture.Height, factor), Scaled(picture.Width, factor)), top, left);
    }

    private static double Factor(int width)
    {
        if (width > LargestPanel)
            return (double)LargestPanel / width;
        return Math.Max(1, (SmallestPanel + width - 1) / width);
    }

    private static int Scaled(int size, double factor) => Math.Max(1, (int)Math.Round(size * factor));
}
