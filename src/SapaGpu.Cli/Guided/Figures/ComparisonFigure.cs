using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided.Figures;

/// <summary>Panels of one size in rows, with captions.</summary>
internal static class ComparisonFigure
{
    private const int Margin = 14;
    private const int CaptionGap = 4;
    private const byte Background = byte.MaxValue;

    private static readonly byte[] Ink = [20, 20, 20];

    /// <summary>Draws rows of panels, all as high and as wide as is said, as far apart as their captions need.</summary>
    public static Photo Draw(IReadOnlyList<IReadOnlyList<Panel>> rows, int height, int width)
    {
        var captionHeights = rows
            .Select(row => row.Max(panel => panel.Caption.Count) * CaptionFont.LineHeight + CaptionGap).ToList();
        int columns = rows.Max(row => row.Count);
        int columnWidth = Margin + Math.Max(
            width, rows.Max(row => row.Max(panel => panel.Caption.Max(CaptionFont.Measure))));
        var figure = new Photo(
            captionHeights.Sum() + rows.Count * (height + Margin) + CaptionGap, Margin + columns * columnWidth);
        Array.Fill(figure.Samples, Background);
        int top = CaptionGap;
        for (int row = 0; row < rows.Count; row++)
        {
            for (int i = 0; i < rows[row].Count; i++)
            {
                var panel = rows[row][i];
                int left = Margin + i * columnWidth;
                for (int line = 0; line < panel.Caption.Count; line++)
                    CaptionFont.Draw(figure, panel.Caption[line], top + line * CaptionFont.LineHeight, left, Ink);
                figure.Paste(panel.Picture.Resize(height, width), top + captionHeights[row], left);
            }
            top += captionHeights[row] + height + Margin;
        }
        return figure;
    }
}
