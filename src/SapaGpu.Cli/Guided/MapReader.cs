using SapaGpu.Cli.Images;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Cli.Guided;

/// <summary>Reads maps: images and NumPy arrays.</summary>
internal static class MapReader
{
    /// <summary>Single precision represents all integers up to this one exactly.</summary>
    private const double LargestLabel = 1 << 24;

    /// <summary>Whether a file name is that of a NumPy array.</summary>
    public static bool IsArray(string path) =>
        Path.GetExtension(path).Equals(".npy", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a map.</summary>
    /// <param name="path">The file.</param>
    /// <param name="labels">Whether its values are classes; only then are palette indices kept.</param>
    /// <param name="photo">The photo, from whose aspect ratio the order of the dimensions of arrays is guessed.</param>
    /// <param name="layout">The order of the dimensions of arrays with three; null to guess it.</param>
    /// <exception cref="InvalidDataException">
    /// The file is missing, damaged or not supported.
    /// </exception>
    public static StoredMap Read(string path, bool labels, Photo photo, ArrayLayout? layout)
    {
        if (!File.Exists(path))
            throw new InvalidDataException($"{path}: there is no such file.");
        if (IsArray(path))
            return ReadArray(path, labels, photo, layout);
        if (labels && IndexedPng.TryRead(path) is { } indexed)
            return new StoredMap(indexed.Indices, new ImageStorage(SampleType.UInt8, indexed.Palette));
        var (raster, type) = ImageFile.ReadSamples(path);
        return new StoredMap(raster, new ImageStorage(type, null));
    }

    private static StoredMap ReadArray(string path, bool labels, Photo photo, ArrayLayout? layout)
    {
        var array = NpyFile.Read(path);
        if (array.Shape.Length is not (2 or 3) || array.Values.Length == 0)
        {
            throw new InvalidDataException(
                $"{path}: the array has shape {array.ShapeText}, but must be [H, W], [C, H, W] or [H, W, C].");
        }
        if (labels && array.Values.Any(value => value != Math.Round(value) || Math.Abs(value) > LargestLabel))
        {
            throw new InvalidDataException(
                $"{path}: --labels needs integers up to {LargestLabel:N0}, but the array has other values. Omit " +
                "--labels, or renumber the classes.");
        }
        var order = array.Shape.Length == 2 ? ArrayLayout.Plane : layout ?? GuessLayout(array.Shape, photo);
        var values = Array.ConvertAll(array.Values, value => (float)value);
        var raster = order switch
        {
            ArrayLayout.Plane => new Raster(array.Shape[0], array.Shape[1], 1, values),
            ArrayLayout.ChannelsLast => new Raster(array.Shape[0], array.Shape[1], array.Shape[2], values),
            _ => FromPlanes(values, array.Shape[0], array.Shape[1], array.Shape[2]),
        };
        return new StoredMap(raster, new ArrayStorage(array.Descriptor, order));
    }

    /// <summary>Chooses the order whose aspect ratio is closer to that of the photo.</summary>
    private static ArrayLayout GuessLayout(int[] shape, Photo photo)
    {
        double proportion = (double)photo.Height / photo.Width;
        double first = Math.Abs(Math.Log((double)shape[1] / shape[2] / proportion));
        double last = Math.Abs(Math.Log((double)shape[0] / shape[1] / proportion));
        return first <= last ? ArrayLayout.ChannelsFirst : ArrayLayout.ChannelsLast;
    }

    private static Raster FromPlanes(float[] values, int channels, int height, int width)
    {
        var raster = new Raster(height, width, channels);
        int plane = height * width;
        for (int c = 0; c < channels; c++)
        {
            for (int i = 0; i < plane; i++)
                raster.Values[i * channels + c] = values[c * plane + i];
        }
        return raster;
    }
}
