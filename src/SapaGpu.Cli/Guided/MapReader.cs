using SapaGpu.Cli.Guided.Models;
using SapaGpu.Cli.Images;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Cli.Guided;

/// <summary>Reads maps: images and NumPy arrays.</summary>
/// <param name="labels">Whether values are classes; only then are palette indices kept.</param>
/// <param name="marks">The marks of missing values.</param>
/// <param name="proportion">
/// Height over width that maps are expected to have, from which the order of the dimensions of arrays is guessed.
/// </param>
/// <param name="layout">The order of the dimensions of arrays with three; null to guess it.</param>
internal sealed class MapReader(bool labels, RequestedMarks marks, double proportion, ArrayLayout? layout)
{
    /// <summary>Single precision represents all integers up to this one exactly.</summary>
    private const double LargestLabel = 1 << 24;

    private const string ArrayExtension = ".npy";
    private const string ArchiveExtension = ".npz";
    private const int SignatureLength = 8;

    /// <summary>Whether a file name is that of a NumPy array.</summary>
    public static bool IsArray(string path) =>
        Path.GetExtension(path).Equals(ArrayExtension, StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the size of a map, without its values.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or not supported.</exception>
    public ImageSize ReadSize(InputFile file)
    {
        if (ReadNpy(file, NpzFile.ReadShape, NpyFile.ReadShape) is not { } stored)
            return ImageSource.ReadSize(file);
        var (shape, order, _) = Arrange(file.Name, stored);
        return order == ArrayLayout.ChannelsFirst ? new ImageSize(shape[1], shape[2]) : new ImageSize(shape[0], shape[1]);
    }

    /// <summary>Reads a map.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or not supported.</exception>
    public StoredMap Read(InputFile file)
    {
        if (ReadNpy(file, NpzFile.ReadElements, NpyFile.ReadElements) is { } elements)
            return ReadArray(file.Name, elements);
        if (labels && PaletteReader.TryRead(file) is { } indexed)
            return new StoredMap(indexed.Indices, new ImageStorage(SampleType.UInt8, indexed.Palette));
        var samples = ImageFile.ReadSamples(file);
        var storage = new ImageStorage(samples.Type, null);
        if (samples.Numbers is not { } numbers)
            return new StoredMap(samples.Raster, storage);
        var raster = samples.Raster;
        return Convert(file.Name, numbers, storage, values => new Raster(
            raster.Height, raster.Width, raster.Channels, values)) with
        {
            Exact = new ExactMap(samples.Exact!, 1, samples.Exact!.Length / (raster.Height * raster.Width)),
        };
    }

    /// <summary>Reads an array of real numbers without rounding them to single precision.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, not supported, or no array of real numbers.</exception>
    public FeatureArray ReadFeatures(InputFile file)
    {
        var elements = ReadNpy(file, NpzFile.ReadElements, NpyFile.ReadElements) ?? throw new InvalidDataException(
            $"{file.Name}: features are a .npy or .npz array, [C, H, W]; this is neither.");
        var (shape, order, leading) = Arrange(file.Name, elements.Shape);
        var storage = new ArrayStorage(elements.Descriptor, order) { LeadingOnes = leading };
        if (!storage.IsFloatingPoint)
        {
            throw new InvalidDataException(
                $"{file.Name}: features are real numbers, but the elements have the type '{elements.Descriptor}'; save them as " +
                "float16, float32 or float64.");
        }
        var (height, width, channels) = order switch
        {
            ArrayLayout.Plane => (shape[0], shape[1], 1),
            ArrayLayout.ChannelsLast => (shape[0], shape[1], shape[2]),
            _ => (shape[1], shape[2], shape[0]),
        };
        return new FeatureArray(storage, height, width, channels, NpyFile.Decode(elements).Values);
    }

    private static T? ReadNpy<T>(InputFile file, Func<Stream, string, T> readArchive, Func<Stream, string, T> readArray)
        where T : class
    {
        var start = file.ReadStart(SignatureLength);
        bool isArchive = start.AsSpan().StartsWith("PK"u8)
            || file.Extension.Equals(ArchiveExtension, StringComparison.OrdinalIgnoreCase);
        if (!isArchive && !NpyFile.IsNpy(start) && !IsArray(file.Name))
            return null;
        using var stream = file.OpenStream();
        return isArchive ? readArchive(stream, file.Name) : readArray(stream, file.Name);
    }

    private StoredMap ReadArray(string name, NpyElements elements)
    {
        var (shape, order, leading) = Arrange(name, elements.Shape);
        var storage = new ArrayStorage(elements.Descriptor, order) { LeadingOnes = leading };
        var numbers = NpyFile.Decode(elements).Values;
        if (labels && numbers.Any(value => value != Math.Round(value)))
            throw NotClasses(name);
        var map = Convert(name, numbers, storage, values => order switch
        {
            ArrayLayout.Plane => new Raster(shape[0], shape[1], 1, values),
            ArrayLayout.ChannelsLast => new Raster(shape[0], shape[1], shape[2], values),
            _ => FromPlanes(values, shape[0], shape[1], shape[2]),
        });
        if (map.Precision is null)
            return map;
        int planes = order == ArrayLayout.ChannelsFirst ? shape[0] : 1;
        int pixels = planes * map.Raster.Height * map.Raster.Width;
        return map with { Exact = new ExactMap(elements.Bytes, planes, elements.Bytes.Length / pixels) };
    }

    /// <summary>The dimensions of a map without those of 1 before, how many these are, and what the others mean.</summary>
    private (int[] Shape, ArrayLayout Order, int Leading) Arrange(string name, int[] stored)
    {
        int leading = 0;
        while (stored.Length - leading > 3 && stored[leading] == 1)
            leading++;
        var shape = stored[leading..];
        if (shape.Length is not (2 or 3) || shape.Contains(0))
        {
            throw new InvalidDataException(
                $"{name}: the array has shape [{string.Join(", ", stored)}], but must be [H, W], [C, H, W] or [H, W, C], with " +
                "any dimensions of 1 before; save one map.");
        }
        return (shape, shape.Length == 2 ? ArrayLayout.Plane : layout ?? GuessLayout(shape), leading);
    }

    private StoredMap Convert(string name, double[] numbers, MapStorage storage, Func<float[], Raster> arrange)
    {
        var precision = SinglePrecision.Of(numbers, marks);
        if (precision.IsExact)
            return new StoredMap(arrange(precision.Values), storage);
        if (labels)
            throw NotClasses(name);
        return new StoredMap(arrange(precision.Values), storage) { Precision = precision };
    }

    private static InvalidDataException NotClasses(string name) => new(
        $"{name}: --labels needs integers up to {LargestLabel:N0}, but the map has other values. Omit --labels, or " +
        "renumber the classes.");

    /// <summary>Chooses the order whose aspect ratio is closer to the expected one.</summary>
    private ArrayLayout GuessLayout(int[] shape)
    {
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
