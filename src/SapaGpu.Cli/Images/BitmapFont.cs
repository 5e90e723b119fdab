namespace SapaGpu.Cli.Images;

/// <summary>
/// Capitals, digits and punctuation of 5×7 dots, for captions on machines without fonts. Small letters are drawn as
/// capitals, characters outside ASCII as question marks.
/// </summary>
internal static class BitmapFont
{
    /// <summary>The dots from one character to the next.</summary>
    public const int Advance = GlyphWidth + 1;

    /// <summary>The dots from one line to the next.</summary>
    public const int LineHeight = GlyphHeight + 3;

    private const int GlyphWidth = 5;
    private const int GlyphHeight = 7;
    private const int GlyphsPerLine = 16;
    private const char First = ' ';
    private const char Last = '_';

    private const string Drawings = """
        ..... ..#.. .#.#. .#.#. ..#.. ##..# .##.. ..#.. ...#. .#... ..... ..... ..... ..... ..... ....#
        ..... ..#.. .#.#. .#.#. .#### ##..# #..#. ..#.. ..#.. ..#.. #.#.# ..#.. ..... ..... ..... ....#
        ..... ..#.. .#.#. ##### #.#.. ...#. #..#. ..#.. .#... ...#. .###. ..#.. ..... ..... ..... ...#.
        ..... ..#.. ..... .#.#. .###. ..#.. .##.. ..... .#... ...#. ##### ##### ..... ##### ..... ..#..
        ..... ..#.. ..... ##### ..#.# .#... #.#.# ..... .#... ...#. .###. ..#.. .##.. ..... ..... .#...
        ..... ..... ..... .#.#. ####. #..## #..#. ..... ..#.. ..#.. #.#.# ..#.. ..#.. ..... .##.. #....
        ..... ..#.. ..... .#.#. ..#.. #..## .##.# ..... ...#. .#... ..... ..... .#... ..... .##.. #....

        .###. ..#.. .###. ##### ...#. ##### ..##. ##### .###. .###. ..... ..... ...#. ..... .#... .###.
        #...# .##.. #...# ...#. ..##. #.... .#... ....# #...# #...# .##.. .##.. ..#.. ..... ..#.. #...#
        #..## ..#.. ....# ..#.. .#.#. ####. #.... ...#. #...# #...# .##.. .##.. .#... ##### ...#. ....#
        #.#.# ..#.. ...#. ...#. #..#. ....# ####. ..#.. .###. .#### ..... ..... #.... ..... ....# ...#.
        ##..# ..#.. ..#.. ....# ##### ....# #...# .#... #...# ....# .##.. .##.. .#... ##### ...#. ..#..
        #...# ..#.. .#... #...# ...#. #...# #...# .#... #...# ...#. .##.. ..#.. ..#.. ..... ..#.. .....
        .###. .###. ##### .###. ...#. .###. .###. .#... .###. .##.. ..... .#... ...#. ..... .#... ..#..

        .###. .###. ####. .###. ####. ##### ##### .###. #...# .###. ..### #...# #.... #...# #...# .###.
        #...# #...# #...# #...# #...# #.... #.... #...# #...# ..#.. ...#. #..#. #.... ##.## #...# #...#
        #.### #...# #...# #.... #...# #.... #.... #.... #...# ..#.. ...#. #.#.. #.... #.#.# ##..# #...#
        #.#.# ##### ####. #.... #...# ####. ####. #.### ##### ..#.. ...#. ##... #.... #.#.# #.#.# #...#
        #.### #...# #...# #.... #...# #.... #.... #...# #...# ..#.. ...#. #.#.. #.... #...# #..## #...#
        #.... #...# #...# #...# #...# #.... #.... #...# #...# ..#.. #..#. #..#. #.... #...# #...# #...#
        .###. #...# ####. .###. ####. ##### #.... .#### #...# .###. .##.. #...# ##### #...# #...# .###.

        ####. .###. ####. .#### ##### #...# #...# #...# #...# #...# ##### .###. #.... .###. ..#.. .....
        #...# #...# #...# #.... ..#.. #...# #...# #...# #...# #...# ....# .#... #.... ...#. .#.#. .....
        #...# #...# #...# #.... ..#.. #...# #...# #...# .#.#. .#.#. ...#. .#... .#... ...#. #...# .....
        ####. #...# ####. .###. ..#.. #...# #...# #.#.# ..#.. ..#.. ..#.. .#... ..#.. ...#. ..... .....
        #.... #.#.# #.#.. ....# ..#.. #...# #...# #.#.# .#.#. ..#.. .#... .#... ...#. ...#. ..... .....
        #.... #..#. #..#. ....# ..#.. #...# .#.#. ##.## #...# ..#.. #.... .#... ....# ...#. ..... .....
        #.... .##.# #...# ####. ..#.. .###. ..#.. #...# #...# ..#.. ##### .###. ....# .###. ..... #####
        """;

    private static readonly string[] Rows =
        Drawings.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Draws a line of text; what does not fit on the image is left out.</summary>
    /// <param name="image">The image to draw on.</param>
    /// <param name="text">The text.</param>
    /// <param name="row">The row of the upper edge.</param>
    /// <param name="column">The column of the left edge.</param>
    /// <param name="dotSize">The side of a dot in pixels.</param>
    /// <param name="colour">Red, green and blue.</param>
    public static void Draw(Photo image, string text, int row, int column, int dotSize, ReadOnlySpan<byte> colour)
    {
        for (int i = 0; i < text.Length; i++)
        {
            int left = column + i * Advance * dotSize;
            for (int y = 0; y < GlyphHeight; y++)
            {
                for (int x = 0; x < GlyphWidth; x++)
                {
                    if (HasDot(text[i], y, x))
                        image.Fill(new Region(row + y * dotSize, left + x * dotSize, dotSize, dotSize), colour);
                }
            }
        }
    }

    /// <summary>Whether the drawing of a character has a dot.</summary>
    public static bool HasDot(char character, int row, int column)
    {
        char drawn = char.ToUpperInvariant(character);
        int index = (drawn is >= First and <= Last ? drawn : '?') - First;
        string line = Rows[index / GlyphsPerLine * GlyphHeight + row];
        return line[index % GlyphsPerLine * (GlyphWidth + 1) + column] == '#';
    }
}
