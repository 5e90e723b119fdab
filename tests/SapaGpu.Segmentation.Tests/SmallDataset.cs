using SkiaSharp;

namespace SapaGpu.Segmentation.Tests;

/// <summary>A data set on disk of bright squares on dark ground, with a column of void.</summary>
internal static class SmallDataset
{
    public const int Height = 32;
    public const int Width = 48;
    public const byte Void = 3;
    public const int TrainImages = 6;
    public const int TestImages = 3;

    public static SegmentationDataset Write(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(
            Path.Combine(folder, "stats.json"),
            $$"""
            {
              "width": {{Width}}, "height": {{Height}},
              "classes": ["ground", "left", "right", "void"], "ignore_index": {{Void}}
            }
            """);
        WriteSplit(folder, SegmentationDataset.Train, TrainImages);
        WriteSplit(folder, SegmentationDataset.Validation, TestImages);
        WriteSplit(folder, SegmentationDataset.Test, TestImages);
        return SegmentationDataset.Open(folder);
    }

    /// <summary>The right class of a pixel of an image.</summary>
    public static byte Label(int image, int y, int x)
    {
        if (x == Width - 1)
            return Void;
        bool isInside = y >= 4 + image && y < 20 + image && x % (Width / 2) is >= 5 and < 18;
        return (byte)(isInside ? 1 + x / (Width / 2) : 0);
    }

    private static void WriteSplit(string folder, string split, int count)
    {
        foreach (string kind in new[] { "images", "labels" })
            Directory.CreateDirectory(Path.Combine(folder, kind, split));
        File.WriteAllLines(
            Path.Combine(folder, $"{split}.txt"), Enumerable.Range(0, count).Select(i => $"picture{i} family"));
        for (int i = 0; i < count; i++)
        {
            using var image = new SKBitmap(new SKImageInfo(Width, Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
            using var labels = new SKBitmap(new SKImageInfo(Width, Height, SKColorType.Gray8, SKAlphaType.Opaque));
            for (int y = 0; y < Height; y++)
            {
                for (int x = 0; x < Width; x++)
                {
                    byte label = Label(i, y, x);
                    image.SetPixel(x, y, new SKColor((byte)(60 * label + 20), (byte)(8 * x / 3), (byte)(4 * y)));
                    labels.GetPixelSpan()[y * labels.RowBytes + x] = label;
                }
            }
            Save(image, SKEncodedImageFormat.Jpeg, Path.Combine(folder, "images", split, $"picture{i}.jpg"));
            Save(labels, SKEncodedImageFormat.Png, Path.Combine(folder, "labels", split, $"picture{i}.png"));
        }
    }

    private static void Save(SKBitmap bitmap, SKEncodedImageFormat format, string path)
    {
        using var stream = File.Create(path);
        bitmap.Encode(stream, format, quality: 100);
    }
}
