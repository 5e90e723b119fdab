using SkiaSharp;

namespace SapaGpu.Segmentation;

/// <summary>
/// Rows of pictures under headings. Letters are drawn dot by dot, so a figure is the same on machines without fonts.
/// </summary>
internal static class FigureGrid
{
    private const int Gap = 6;
    private const int DotSize = 2;
    private const int HeadingHeight = BitmapFont.LineHeight * DotSize + Gap;
    private const int GlyphColumns = BitmapFont.Advance - 1;
    private const int GlyphRows = BitmapFont.LineHeight - 3;

    /// <summary>Draws into a PNG file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="headings">The headings of the columns.</param>
    /// <param name="rows">As many pictures as headings for every row.</param>
    /// <param name="height">The rows of pixels that a picture takes.</param>
    /// <param name="width">The columns of pixels that a picture takes.</param>
    public static void Save(
        string path, IReadOnlyList<string> headings, IReadOnlyList<IReadOnlyList<Picture>> rows, int height, int width)
    {
        using var bitmap = new SKBitmap(
            Gap + headings.Count * (width + Gap), HeadingHeight + rows.Count * (height + Gap));
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColors.White);
            for (int column = 0; column < headings.Count; column++)
            {
                int left = Gap + column * (width + Gap);
                DrawText(canvas, headings[column], left, Gap);
                for (int row = 0; row < rows.Count; row++)
                {
                    int top = HeadingHeight + row * (height + Gap);
                    DrawPicture(canvas, rows[row][column], SKRect.Create(left, top, width, height));
                }
            }
        }
        AtomicFile.Write(path, stream => bitmap.Encode(stream, SKEncodedImageFormat.Png, quality: 100));
    }

    private static void DrawPicture(SKCanvas canvas, Picture picture, SKRect place)
    {
        using var bitmap = new SKBitmap(
            new SKImageInfo(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var pixels = bitmap.GetPixelSpan();
        for (int from = 0, to = 0; from < picture.Pixels.Length; from += ImageSet.Channels, to += bitmap.BytesPerPixel)
        {
            picture.Pixels.AsSpan(from, ImageSet.Channels).CopyTo(pixels[to..]);
            pixels[to + ImageSet.Channels] = byte.MaxValue;
        }
        using var image = SKImage.FromBitmap(bitmap);
        canvas.DrawImage(image, place, new SKSamplingOptions(SKFilterMode.Nearest));
    }

    private static void DrawText(SKCanvas canvas, string text, int left, int top)
    {
        using var paint = new SKPaint { Color = SKColors.Black };
        var dots =
            from i in Enumerable.Range(0, text.Length)
            from y in Enumerable.Range(0, GlyphRows)
            from x in Enumerable.Range(0, GlyphColumns)
            where BitmapFont.HasDot(text[i], y, x)
            select SKRect.Create(left + (i * BitmapFont.Advance + x) * DotSize, top + y * DotSize, DotSize, DotSize);
        foreach (var dot in dots)
            canvas.DrawRect(dot, paint);
    }
}
