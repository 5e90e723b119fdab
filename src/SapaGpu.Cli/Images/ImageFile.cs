using NetVips;

namespace SapaGpu.Cli.Images;

/// <summary>Reads and writes images in the formats of libvips.</summary>
internal static class ImageFile
{
    private const int JpegQuality = 95;

    static ImageFile()
    {
        // Files are read once, and a file of the same name may have another content the next time.
        Cache.Max = 0;

        // Errors become exceptions; warnings would mix with the output of the tool.
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, (_, _, _) => { });
    }

    /// <summary>
    /// Reads a photo as 8-bit sRGB: rotated by its EXIF orientation, converted from its colour space, without alpha;
    /// grey becomes red = green = blue.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is missing or not a readable image.</exception>
    public static Photo ReadPhoto(string path) => Read(path, image =>
    {
        using var colours = image.Colourspace(Enums.Interpretation.Srgb);
        using var opaque = colours.ExtractBand(0, n: Photo.Channels);
        using var bytes = opaque.Cast(Enums.BandFormat.Uchar);
        return new Photo(bytes.Height, bytes.Width, bytes.WriteToMemory<byte>());
    });

    /// <summary>Reads a map with its samples as they are in the file, rotated by its EXIF orientation.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is missing, is not a readable image, or has an unsupported sample type or number of channels.
    /// </exception>
    public static (Raster Raster, SampleType Type) ReadSamples(string path) => Read(path, image =>
    {
        var type = image.Format switch
        {
            Enums.BandFormat.Uchar => SampleType.UInt8,
            Enums.BandFormat.Ushort => SampleType.UInt16,
            Enums.BandFormat.Float => SampleType.Float32,
            _ => throw new InvalidDataException(
                $"{path}: samples of type {image.Format} are not supported; save unsigned 8 or 16 bits, or float32."),
        };
        if (image.Bands is < 1 or > 4)
        {
            throw new InvalidDataException(
                $"{path}: the image has {image.Bands} channels, but 1 to 4 are supported. Save features as .npy.");
        }
        using var numbers = image.Cast(Enums.BandFormat.Float);
        return (new Raster(image.Height, image.Width, image.Bands, numbers.WriteToMemory<float>()), type);
    });

    /// <summary>Writes samples, rounded and clamped to their type, in the format of the file's extension.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Raster raster, SampleType type)
    {
        using var image = type switch
        {
            SampleType.UInt8 => FromMemory(Array.ConvertAll(raster.Values, ToByte), raster, Enums.BandFormat.Uchar),
            SampleType.UInt16 => FromMemory(Array.ConvertAll(raster.Values, ToUInt16), raster, Enums.BandFormat.Ushort),
            _ => FromMemory(raster.Values, raster, Enums.BandFormat.Float),
        };
        using var interpreted = image.Copy(interpretation: Interpretation(raster.Channels, type));
        Write(path, interpreted);
    }

    /// <summary>Writes a photo in the format of the file's extension.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Photo photo)
    {
        using var image = Image.NewFromMemory(
            photo.Samples, photo.Width, photo.Height, Photo.Channels, Enums.BandFormat.Uchar);
        using var interpreted = image.Copy(interpretation: Enums.Interpretation.Srgb);
        Write(path, interpreted);
    }

    private static T Read<T>(string path, Func<Image, T> convert)
    {
        if (!File.Exists(path))
            throw new InvalidDataException($"{path}: there is no such file.");
        try
        {
            using var stored = Image.NewFromFile(path, failOn: Enums.FailOn.Error);
            if ((long)stored.Width * stored.Height * Photo.Channels > Array.MaxLength)
                throw new InvalidDataException(
                    $"{path}: {stored.Width}x{stored.Height} pixels are too many; use a smaller image.");
            using var upright = stored.Autorot();
            return convert(upright);
        }
        catch (VipsException e)
        {
            throw new InvalidDataException($"{path}: not a readable image ({FirstLine(e)}).", e);
        }
    }

    private static void Write(string path, Image image)
    {
        var options = Path.GetExtension(path).ToUpperInvariant() switch
        {
            ".JPG" or ".JPEG" => new VOption { { "Q", JpegQuality } },
            ".WEBP" => new VOption { { "lossless", true } },
            ".TIF" or ".TIFF" => new VOption { { "compression", Enums.ForeignTiffCompression.Deflate } },
            _ => [],
        };
        try
        {
            image.WriteToFile(path, options);
        }
        catch (VipsException e)
        {
            throw new IOException($"{path}: cannot be written ({FirstLine(e)}).", e);
        }
    }

    private static Image FromMemory<T>(T[] samples, Raster raster, Enums.BandFormat format)
        where T : unmanaged => Image.NewFromMemory(samples, raster.Width, raster.Height, raster.Channels, format);

    private static Enums.Interpretation Interpretation(int channels, SampleType type) => (channels, type) switch
    {
        ( <= 2, SampleType.UInt16) => Enums.Interpretation.Grey16,
        ( <= 2, _) => Enums.Interpretation.Bw,
        (_, SampleType.UInt16) => Enums.Interpretation.Rgb16,
        (_, SampleType.UInt8) => Enums.Interpretation.Srgb,
        _ => Enums.Interpretation.Scrgb,
    };

    // Casts to whole numbers saturate, and take NaN to 0.
    private static byte ToByte(float sample) => (byte)Math.Clamp(MathF.Round(sample), byte.MinValue, byte.MaxValue);

    private static ushort ToUInt16(float sample) =>
        (ushort)Math.Clamp(MathF.Round(sample), ushort.MinValue, ushort.MaxValue);

    private static string FirstLine(VipsException e)
    {
        // NetVips adds a sentence before the lines of libvips.
        var lines = e.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.Length > 1 ? lines[1] : lines[0];
    }
}
