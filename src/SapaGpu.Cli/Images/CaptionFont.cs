using NetVips;

namespace SapaGpu.Cli.Images;

/// <summary>
/// Text in DejaVu Sans from drawings of its letters that the tool carries: captions look the same on machines without
/// fonts, where libvips would complain. Characters outside ASCII are drawn as question marks.
/// </summary>
/// <remarks>The test CaptionFontDrawings makes the drawings from the font's file.</remarks>
internal static class CaptionFont
{
    /// <summary>The pixels from one line to the next.</summary>
    public const int LineHeight = 22;

    /// <summary>The columns that a letter has in the drawings.</summary>
    internal const int CellWidth = 22;

    /// <summary>The rows that a letter has: those of the line, and one that is white as far as the next letter is away.</summary>
    internal const int CellHeight = LineHeight + 1;

    /// <summary>The letters in a row of the drawings.</summary>
    internal const int LettersPerRow = 16;

    internal const char First = ' ';
    internal const char Last = '~';

    private const string Resource = "SapaGpu.Cli.Images.CaptionFont.png";

    private static readonly Lazy<(byte[] Samples, int Width)> Drawings = new(Load);

    /// <summary>The width of a line of text in pixels.</summary>
    public static int Measure(string text) => text.Sum(Advance);

    /// <summary>Draws a line of text; what does not fit on the image is left out.</summary>
    /// <param name="image">The image to draw on.</param>
    /// <param name="text">The text.</param>
    /// <param name="row">The row of the upper edge.</param>
    /// <param name="column">The column of the left edge.</param>
    /// <param name="colour">Red, green and blue.</param>
    public static void Draw(Photo image, string text, int row, int column, ReadOnlySpan<byte> colour)
    {
        foreach (char letter in text)
        {
            DrawLetter(image, letter, row, column, colour);
            column += Advance(letter);
        }
    }

    private static void DrawLetter(Photo image, char letter, int row, int column, ReadOnlySpan<byte> colour)
    {
        for (int y = Math.Max(0, -row); y < Math.Min(LineHeight, image.Height - row); y++)
        {
            for (int x = Math.Max(0, -column); x < Math.Min(CellWidth, image.Width - column); x++)
            {
                int ink = InkAt(letter, y, x);
                var pixel = image.PixelAt(row + y, column + x);
                for (int c = 0; c < pixel.Length; c++)
                    pixel[c] = (byte)((pixel[c] * (byte.MaxValue - ink) + colour[c] * ink) / byte.MaxValue);
            }
        }
    }

    private static int Advance(char letter)
    {
        int width = 0;
        while (width < CellWidth && InkAt(letter, LineHeight, width) > 0)
            width++;
        return width;
    }

    private static int InkAt(char letter, int row, int column)
    {
        int index = (letter is >= First and <= Last ? letter : '?') - First;
        var (samples, width) = Drawings.Value;
        int y = index / LettersPerRow * CellHeight + row;
        return samples[y * width + index % LettersPerRow * CellWidth + column];
    }

    private static (byte[] Samples, int Width) Load()
    {
        using var stream = typeof(CaptionFont).Assembly.GetManifestResourceStream(Resource)!;
        using var image = Image.NewFromStream(stream);
        using var grey = image.ExtractBand(0);
        return (grey.WriteToMemory<byte>(), grey.Width);
    }
}
