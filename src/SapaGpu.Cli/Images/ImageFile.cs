using System.Runtime.InteropServices;
using NetVips;

namespace SapaGpu.Cli.Images;

/// <summary>Reads and writes images.</summary>
internal static class ImageFile
{
    private const int JpegQuality = 95;

    /// <summary>Reads a photo, see <see cref="PhotoReader"/>.</summary>
    /// <exception cref="InvalidDataException">The file is missing or not a readable image.</exception>
    public static Photo ReadPhoto(string path) => PhotoReader.Read(InputFile.Open(path), _ => { });

    /// <summary>Reads a map with its samples as they are in the file, rotated by its EXIF orientation.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is missing, is not a readable image, or has an unsupported sample type or number of channels.
    /// </exception>
    public static (Raster Raster, SampleType Type) ReadSamples(string path)
    {
        var samples = ReadSamples(InputFile.Open(path));
        return (samples.Raster, samples.Type);
    }

    /// <summary>Reads a map with its samples as they are in the file, rotated by its EXIF orientation.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is not a readable image, or has pages, or a colour space, sample type or number of channels that is not
    /// supported.
    /// </exception>
    public static StoredSamples ReadSamples(InputFile file) => ImageSource.Decode(file, image =>
    {
        ImageSource.CheckPages(file, image);
        var type = TypeOf(file, image);
        if (image.Bands is < 1 or > 4)
        {
            throw new InvalidDataException(
                $"{file.Name}: the image has {image.Bands} channels, but 1 to 4 are supported. Save features as .npy.");
        }
        using var numbers = image.Cast(Enums.BandFormat.Float);
        var raster = new Raster(image.Height, image.Width, image.Bands, numbers.WriteToMemory<float>());
        if (type.FitsSinglePrecision())
            return new StoredSamples(raster, type);
        using var doubles = image.Cast(Enums.BandFormat.Double);
        return new StoredSamples(raster, type)
        {
            Exact = type switch
            {
                SampleType.Int32 => MemoryMarshal.AsBytes(image.WriteToMemory<int>().AsSpan()).ToArray(),
                SampleType.UInt32 => MemoryMarshal.AsBytes(image.WriteToMemory<uint>().AsSpan()).ToArray(),
                _ => MemoryMarshal.AsBytes(image.WriteToMemory<double>().AsSpan()).ToArray(),
            },
            Numbers = doubles.WriteToMemory<double>(),
        };
    });

    /// <summary>Writes samples, rounded and clamped to their type, in the format of the file's extension.</summary>
    /// <param name="path">The file.</param>
    /// <param name="raster">The samples.</param>
    /// <param name="type">Their type in the file.</param>
    /// <param name="mark">A sample that may need more than single precision; null if there is none.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Raster raster, SampleType type, double? mark = null)
    {
        double Exactly(float value) => mark is { } exact && value.Equals((float)exact) ? exact : value;
        using var image = type switch
        {
            SampleType.UInt8 => FromMemory(raster, type, value => byte.CreateSaturating(MathF.Round(value))),
            SampleType.Int8 => FromMemory(raster, type, value => sbyte.CreateSaturating(MathF.Round(value))),
            SampleType.UInt16 => FromMemory(raster, type, value => ushort.CreateSaturating(MathF.Round(value))),
            SampleType.Int16 => FromMemory(raster, type, value => short.CreateSaturating(MathF.Round(value))),
            SampleType.UInt32 => FromMemory(raster, type, value => uint.CreateSaturating(Math.Round(Exactly(value)))),
            SampleType.Int32 => FromMemory(raster, type, value => int.CreateSaturating(Math.Round(Exactly(value)))),
            SampleType.Float64 => FromMemory(raster, type, Exactly),
            _ => FromMemory(raster, type, value => value),
        };
        using var interpreted = image.Copy(interpretation: Interpretation(raster.Channels, type));
        Write(path, interpreted);
    }

    /// <summary>Writes samples of 32 or 64 bits from their bytes, in the format of the file's extension.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, byte[] samples, int height, int width, int channels, SampleType type)
    {
        using var image = type switch
        {
            SampleType.Int32 => FromBytes<int>(),
            SampleType.UInt32 => FromBytes<uint>(),
            _ => FromBytes<double>(),
        };
        using var interpreted = image.Copy(interpretation: Interpretation(channels, type));
        Write(path, interpreted);

        Image FromBytes<T>()
            where T : unmanaged => Image.NewFromMemory(
                MemoryMarshal.Cast<byte, T>(samples).ToArray(), width, height, channels, FormatOf(type));
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

    private static Image FromMemory<T>(Raster raster, SampleType type, Converter<float, T> convert)
        where T : unmanaged => Image.NewFromMemory(
            Array.ConvertAll(raster.Values, convert), raster.Width, raster.Height, raster.Channels, FormatOf(type));

    private static SampleType TypeOf(InputFile file, Image image)
    {
        bool isColourSpace = image.Interpretation is Enums.Interpretation.Cmyk or Enums.Interpretation.Lab
            or Enums.Interpretation.Labq or Enums.Interpretation.Labs or Enums.Interpretation.Lch
            or Enums.Interpretation.Cmc or Enums.Interpretation.Xyz or Enums.Interpretation.Yxy
            or Enums.Interpretation.Hsv;
        if (isColourSpace)
        {
            throw new InvalidDataException(
                $"{file.Name}: a map in the colour space {image.Interpretation.ToString().ToUpperInvariant()} is not " +
                "read; save it as grey or RGB.");
        }
        return image.Format switch
        {
            Enums.BandFormat.Uchar => SampleType.UInt8,
            Enums.BandFormat.Char => SampleType.Int8,
            Enums.BandFormat.Ushort => SampleType.UInt16,
            Enums.BandFormat.Short => SampleType.Int16,
            Enums.BandFormat.Uint => SampleType.UInt32,
            Enums.BandFormat.Int => SampleType.Int32,
            Enums.BandFormat.Float => SampleType.Float32,
            Enums.BandFormat.Double => SampleType.Float64,
            _ => throw new InvalidDataException(
                $"{file.Name}: samples of type {image.Format} are not read; save whole numbers or real ones."),
        };
    }

    private static Enums.BandFormat FormatOf(SampleType type) => type switch
    {
        SampleType.UInt8 => Enums.BandFormat.Uchar,
        SampleType.Int8 => Enums.BandFormat.Char,
        SampleType.UInt16 => Enums.BandFormat.Ushort,
        SampleType.Int16 => Enums.BandFormat.Short,
        SampleType.UInt32 => Enums.BandFormat.Uint,
        SampleType.Int32 => Enums.BandFormat.Int,
        SampleType.Float32 => Enums.BandFormat.Float,
        _ => Enums.BandFormat.Double,
    };

    private static void Write(string path, Image image)
    {
        var options = Path.GetExtension(path).ToUpperInvariant() switch
        {
            ".JPG" or ".JPEG" => new VOption { { "Q", JpegQuality } },
            ".WEBP" => new VOption { { "lossless", true } },
            ".TIF" or ".TIFF" => new VOption
            {
                { "compression", Enums.ForeignTiffCompression.Deflate },
                { "predictor", PredictorFor(image.Format) },
            },
            _ => [],
        };
        try
        {
            image.WriteToFile(path, options);
        }
        catch (VipsException e)
        {
            throw new IOException($"{path}: cannot be written ({ImageSource.FirstLine(e)}).", e);
        }
    }

    /// <summary>Many programs do not read the prediction of samples of 64 bits.</summary>
    private static Enums.ForeignTiffPredictor PredictorFor(Enums.BandFormat format) =>
        format == Enums.BandFormat.Double ? Enums.ForeignTiffPredictor.None : Enums.ForeignTiffPredictor.Horizontal;

    private static Enums.Interpretation Interpretation(int channels, SampleType type) => (channels, type) switch
    {
        ( <= 2, SampleType.UInt16) => Enums.Interpretation.Grey16,
        ( <= 2, _) => Enums.Interpretation.Bw,
        (_, SampleType.UInt16) => Enums.Interpretation.Rgb16,
        (_, SampleType.UInt8) => Enums.Interpretation.Srgb,
        _ => Enums.Interpretation.Scrgb,
    };
}
