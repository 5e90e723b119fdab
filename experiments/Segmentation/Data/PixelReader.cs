using SkiaSharp;

namespace SapaGpu.Segmentation;

/// <summary>Reads the pixels of image files.</summary>
internal static class PixelReader
{
    private const int BytesOfColour = 4;

    /// <summary>Red, green and blue of every pixel.</summary>
    /// <exception cref="InvalidDataException">The file is no image of this size.</exception>
    public static byte[] ReadColours(string path, int height, int width)
    {
        var pixels = Read(path, height, width, SKColorType.Rgba8888, BytesOfColour);
        var colours = new byte[height * width * ImageSet.Channels];
        for (int from = 0, to = 0; to < colours.Length; from += BytesOfColour, to += ImageSet.Channels)
            pixels.AsSpan(from, ImageSet.Channels).CopyTo(colours.AsSpan(to));
        return colours;
    }

    /// <summary>The values of a greyscale image as they are in the file.</summary>
    /// <exception cref="InvalidDataException">The file is no 8-bit greyscale image of this size.</exception>
    public static byte[] ReadValues(string path, int height, int width)
    {
        using var codec = Open(path);
        return codec.Info.ColorType == SKColorType.Gray8
            ? Read(path, height, width, SKColorType.Gray8, bytesOfPixel: 1)
            : throw new InvalidDataException($"{path} is not an 8-bit greyscale image.");
    }

    private static byte[] Read(string path, int height, int width, SKColorType type, int bytesOfPixel)
    {
        using var codec = Open(path);
        if (codec.Info.Height != height || codec.Info.Width != width)
        {
            throw new InvalidDataException(
                $"{path} has {codec.Info.Width}x{codec.Info.Height} pixels; the data set says {width}x{height}.");
        }
        // Without a colour space nothing is converted.
        var info = new SKImageInfo(width, height, type, SKAlphaType.Opaque, colorspace: null);
        var pixels = new byte[height * width * bytesOfPixel];
        unsafe
        {
            fixed (byte* first = pixels)
            {
                var result = codec.GetPixels(info, (nint)first);
                if (result != SKCodecResult.Success)
                    throw new InvalidDataException($"{path} cannot be decoded: {result}.");
            }
        }
        return pixels;
    }

    private static SKCodec Open(string path) => File.Exists(path)
        ? SKCodec.Create(path) ?? throw new InvalidDataException($"{path} is not an image.")
        : throw new FileNotFoundException($"There is no {path}, which the data set lists.");
}
