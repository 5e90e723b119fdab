using NetVips;
using NUnit.Framework;
using SapaGpu.Cli.Images;

namespace SapaGpu.Tests.Guided;

/// <summary>Draws the letters of <see cref="CaptionFont"/> from the font's file.</summary>
[TestFixture]
[Explicit("Writes a file; run it by name.")]
internal sealed class CaptionFontDrawings
{
    private const string FontVariable = "SAPAGPU_FONT";
    private const string OutputVariable = "SAPAGPU_FONT_OUT";
    private const string Font = "DejaVu Sans 17";
    private const int Dpi = 72;

    [Test]
    public void Letters_are_drawn()
    {
        string? font = Environment.GetEnvironmentVariable(FontVariable);
        string? output = Environment.GetEnvironmentVariable(OutputVariable);
        if (font is null || output is null)
            Assert.Ignore($"{FontVariable} names no DejaVuSans.ttf, or {OutputVariable} no file to write.");
        int rows = (CaptionFont.Last - CaptionFont.First) / CaptionFont.LettersPerRow + 1;
        var drawings = new byte[rows * CaptionFont.CellHeight, CaptionFont.LettersPerRow * CaptionFont.CellWidth];
        int around = InkOf("nn", font!).Width;
        for (char letter = CaptionFont.First; letter <= CaptionFont.Last; letter++)
        {
            int index = letter - CaptionFont.First;
            int top = index / CaptionFont.LettersPerRow * CaptionFont.CellHeight;
            int left = index % CaptionFont.LettersPerRow * CaptionFont.CellWidth;
            int advance = InkOf($"n{letter}n", font!).Width - around;
            for (int x = 0; x < advance; x++)
                drawings[top + CaptionFont.LineHeight, left + x] = byte.MaxValue;
            if (letter == ' ')
                continue;
            var ink = InkOf(letter.ToString(), font!);
            for (int i = 0; i < ink.Samples.Length; i++)
            {
                int row = ink.Top + i / ink.Width, column = ink.Left + i % ink.Width;
                Assert.That(row < CaptionFont.LineHeight && column < CaptionFont.CellWidth, $"{letter} fits its cell");
                drawings[top + row, left + column] = ink.Samples[i];
            }
        }
        var flat = new byte[drawings.Length];
        Buffer.BlockCopy(drawings, 0, flat, 0, flat.Length);
        using var image = Image.NewFromMemory(
            flat, drawings.GetLength(1), drawings.GetLength(0), 1, Enums.BandFormat.Uchar);
        image.Pngsave(output!, compression: 9);
    }

    private static (byte[] Samples, int Width, int Top, int Left) InkOf(string text, string font)
    {
        // What libvips draws is markup.
        string escaped = text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
        using var image = Image.Text(escaped, font: Font, fontfile: font, dpi: Dpi);
        return (image.WriteToMemory<byte>(), image.Width, image.Yoffset, Math.Max(0, image.Xoffset));
    }
}
