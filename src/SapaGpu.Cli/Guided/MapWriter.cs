using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided;

/// <summary>Writes maps in the way in which the input was stored.</summary>
internal static class MapWriter
{
    /// <summary>Checks, before anything is computed, that a file can store the result.</summary>
    /// <param name="path">The file that will be written.</param>
    /// <param name="input">The map that will be upsampled.</param>
    /// <param name="exact">Whether values must be stored exactly: classes, or a mark for missing values.</param>
    /// <exception cref="InvalidDataException">The file cannot store it; the message suggests a format.</exception>
    public static void Check(string path, StoredMap input, bool exact)
    {
        if (input.Storage is not ImageStorage image)
        {
            if (!MapReader.IsArray(path))
                throw new InvalidDataException($"{path}: the input is an array; the output must be .npy.");
            return;
        }
        if (MapReader.IsArray(path))
            throw new InvalidDataException($"{path}: the input is an image; the output must be .png or .tif.");
        var format = ImageFormat.Of(path);
        if (exact && !format.Lossless)
        {
            throw new InvalidDataException(
                $"{path}: {format.Name} is lossy, but classes and marks of missing values must be stored exactly; " +
                "use .png or .tif for the output.");
        }
        bool keepsPalette = image.Palette is not null && ImageFormat.IsPng(path);
        int channels = image.Palette is { } palette ? palette.ColourChannels : input.Raster.Channels;
        if (!keepsPalette && !format.Channels.Contains(channels))
        {
            throw new InvalidDataException(
                $"{path}: {format.Name} does not support {channels} channels; use .png or .tif for the output.");
        }
        if (!format.Types.Contains(image.Type) && (exact || image.Type == SampleType.Float32))
        {
            throw new InvalidDataException(
                $"{path}: {format.Name} does not support {image.Type.Describe()} samples; use " +
                $"{(image.Type == SampleType.Float32 ? ".tif" : ".png or .tif")} for the output.");
        }
    }

    /// <summary>Writes a result.</summary>
    /// <param name="path">The file, whose extension determines the format.</param>
    /// <param name="result">The result, in the units of the input.</param>
    /// <param name="storage">How the input was stored.</param>
    public static void Write(string path, Raster result, MapStorage storage)
    {
        switch (storage)
        {
            case ArrayStorage array:
                using (var sink = new ArraySink(path, array, result.Height, result.Width, result.Channels))
                    sink.Write(new Region(0, 0, result.Height, result.Width), result.Values);
                break;
            case ImageStorage { Palette: { } palette } when ImageFormat.IsPng(path):
                IndexedPng.Write(path, result, palette);
                break;
            case ImageStorage { Palette: { } palette }:
                ImageFile.Write(path, palette.Expand(result), SampleType.UInt8);
                break;
            case ImageStorage image when ImageFormat.Of(path).Types.Contains(image.Type):
                ImageFile.Write(path, result, image.Type);
                break;
            default:
                ImageFile.Write(path, ToEightBits(result), SampleType.UInt8);
                break;
        }
    }

    private static Raster ToEightBits(Raster raster)
    {
        const float Factor = (float)byte.MaxValue / ushort.MaxValue;
        return new Raster(
            raster.Height, raster.Width, raster.Channels, Array.ConvertAll(raster.Values, value => value * Factor));
    }
}
