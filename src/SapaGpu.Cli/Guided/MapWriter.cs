using SapaGpu.Cli.Images;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Cli.Guided;

/// <summary>Writes maps in the way in which the input was stored.</summary>
internal static class MapWriter
{
    /// <summary>Checks, before anything is computed, that a file can store the result.</summary>
    /// <param name="path">The file that will be written.</param>
    /// <param name="extension">The extension that determines its format.</param>
    /// <param name="storage">How the result will be stored.</param>
    /// <param name="channels">The samples of a pixel of the result.</param>
    /// <param name="exact">Whether values must be stored exactly: classes, or a mark for missing values.</param>
    /// <exception cref="InvalidDataException">The file cannot store it; the message suggests a format.</exception>
    public static void Check(string path, string extension, MapStorage storage, int channels, bool exact)
    {
        if (storage is not ImageStorage image)
        {
            if (!MapReader.IsArray(extension))
                throw new InvalidDataException($"{path}: the input is an array; the output must be .npy.");
            return;
        }
        if (MapReader.IsArray(extension))
            throw new InvalidDataException($"{path}: the input is an image; the output must be .png or .tif.");
        var format = ImageFormat.Of(path, extension);
        if (exact && !format.Lossless)
        {
            throw new InvalidDataException(
                $"{path}: {format.Name} is lossy, but classes and marks of missing values must be stored exactly; " +
                "use .png or .tif for the output.");
        }
        bool keepsPalette = image.Palette is not null && ImageFormat.IsPng(extension);
        int stored = image.Palette is { } palette ? palette.ColourChannels : channels;
        if (!keepsPalette && !format.Channels.Contains(stored))
        {
            throw new InvalidDataException(
                $"{path}: {format.Name} does not support {stored} channels; use .png or .tif for the output.");
        }
        if (!format.Types.Contains(image.Type) && (exact || image.Type != SampleType.UInt16))
        {
            throw new InvalidDataException(
                $"{path}: {format.Name} does not support {image.Type.Describe()} samples; use " +
                $"{(image.Type == SampleType.UInt16 ? ".png or .tif" : ".tif")} for the output.");
        }
    }

    /// <summary>Writes a result.</summary>
    /// <param name="path">The file, whose extension determines the format.</param>
    /// <param name="result">The result, in the units of the input.</param>
    /// <param name="storage">How the input was stored.</param>
    /// <param name="mark">The mark of missing values, as it was given; null if there is none.</param>
    public static void Write(string path, Raster result, MapStorage storage, double? mark)
    {
        switch (storage)
        {
            case ArrayStorage array:
                using (var sink = new ArraySink(path, array, result.Height, result.Width, result.Channels, mark))
                    sink.Write(new Region(0, 0, result.Height, result.Width), result.Values);
                break;
            case ImageStorage { Palette: { } palette } when ImageFormat.IsPng(path):
                IndexedPng.Write(path, result, palette);
                break;
            case ImageStorage { Palette: { } palette }:
                ImageFile.Write(path, palette.Expand(result), SampleType.UInt8);
                break;
            case ImageStorage image when ImageFormat.Of(path).Types.Contains(image.Type):
                ImageFile.Write(path, result, image.Type, mark);
                break;
            default:
                ImageFile.Write(path, ToEightBits(result), SampleType.UInt8);
                break;
        }
    }

    /// <summary>Writes the result of nearest with the values of the input as they are in its file.</summary>
    public static void Write(
        string path, ExactMap map, CellGrid grid, Region window, int channels, MapStorage storage)
    {
        int height = window.Height, width = window.Width;
        if (storage is ArrayStorage array)
        {
            using var stream = new BufferedStream(File.Create(path));
            NpyFile.WriteHeader(stream, array.Descriptor, array.ShapeOf(height, width, channels));
            map.Enlarge(grid, window, stream);
            return;
        }
        using var samples = new MemoryStream();
        map.Enlarge(grid, window, samples);
        ImageFile.Write(path, samples.ToArray(), height, width, channels, ((ImageStorage)storage).Type);
    }

    private static Raster ToEightBits(Raster raster)
    {
        const float Factor = (float)byte.MaxValue / ushort.MaxValue;
        return new Raster(
            raster.Height, raster.Width, raster.Channels, Array.ConvertAll(raster.Values, value => value * Factor));
    }
}
