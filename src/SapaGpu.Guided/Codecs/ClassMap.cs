using System.Runtime.InteropServices;

namespace SapaGpu.Guided;

/// <summary>
/// A map of classes: every distinct pixel value of a raster is a class, numbered in order of appearance.
/// </summary>
internal sealed class ClassMap
{
    private readonly int[] classes;
    private readonly List<float[]> samples = [];
    private readonly Dictionary<float[], int> numbers = new(SampleComparer.Instance);

    /// <summary>Finds the classes of a raster.</summary>
    public ClassMap(Raster raster)
        : this(raster, [])
    {
    }

    private ClassMap(Raster raster, IEnumerable<float[]> knownClasses)
    {
        Height = raster.Height;
        Width = raster.Width;
        SampleChannels = raster.Channels;
        classes = new int[(long)raster.Height * raster.Width];
        foreach (var pixel in knownClasses)
            AddClass(pixel);
        for (int i = 0; i < classes.Length; i++)
        {
            var pixel = raster.Values.AsSpan(i * raster.Channels, raster.Channels);
            classes[i] = Find(pixel) ?? AddClass(pixel.ToArray());
        }
    }

    /// <summary>The rows of the map.</summary>
    public int Height { get; }

    /// <summary>The columns of the map.</summary>
    public int Width { get; }

    /// <summary>The samples of a pixel.</summary>
    public int SampleChannels { get; }

    /// <summary>The number of classes.</summary>
    public int Count => samples.Count;

    /// <summary>The classes of all pixels, row by row.</summary>
    public ReadOnlySpan<int> Classes => classes;

    /// <summary>The class of a pixel.</summary>
    public int ClassAt(int row, int column) => classes[row * Width + column];

    /// <summary>Whether all pixels of a rectangle belong to one class.</summary>
    public bool IsUniform(Region area)
    {
        int first = ClassAt(area.Row, area.Column);
        for (int row = area.Row; row < area.EndRow; row++)
        {
            if (Classes.Slice(row * Width + area.Column, area.Width).ContainsAnyExcept(first))
                return false;
        }
        return true;
    }

    /// <summary>The samples of the pixels of a class.</summary>
    public ReadOnlySpan<float> SamplesOf(int label) => samples[label];

    /// <summary>The class of pixels with these samples; null if there is none.</summary>
    public int? Find(ReadOnlySpan<float> pixel) =>
        numbers.GetAlternateLookup<ReadOnlySpan<float>>().TryGetValue(pixel, out int number) ? number : null;

    /// <summary>The class of missing values; null if there is none.</summary>
    public int? FindUnknown(float? mark)
    {
        int found = samples.FindIndex(pixel => Unknown.Is(pixel, mark));
        return found < 0 ? null : found;
    }

    /// <summary>Reads another raster with the class numbers of this map; new classes get the next numbers.</summary>
    public ClassMap Like(Raster raster) => new(raster, samples);

    private int AddClass(float[] pixel)
    {
        int number = numbers.Count;
        numbers.Add(pixel, number);
        samples.Add(pixel);
        return number;
    }

    private sealed class SampleComparer : IEqualityComparer<float[]>,
        IAlternateEqualityComparer<ReadOnlySpan<float>, float[]>
    {
        public static readonly SampleComparer Instance = new();

        public bool Equals(float[]? x, float[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(float[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<float> alternate, float[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<float> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(MemoryMarshal.AsBytes(alternate));
            return hash.ToHashCode();
        }

        public float[] Create(ReadOnlySpan<float> alternate) => alternate.ToArray();
    }
}
