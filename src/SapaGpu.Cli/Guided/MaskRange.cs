using System.Globalization;
using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided;

/// <summary>The values of a mask where there is no object, and where there is nothing else.</summary>
internal sealed record MaskRange(float Low, float High)
{
    /// <summary>
    /// The range of a mask: its values if there are no more than two, else what its type is usually read as. The largest
    /// value alone says nothing: a mask in which an object is hardly found must not become one in which it is.
    /// </summary>
    /// <param name="name">The file, for messages.</param>
    /// <param name="map">The mask and how it is stored.</param>
    /// <param name="marks">The marks of missing values.</param>
    /// <exception cref="ArgumentException">The values tell no range.</exception>
    public static MaskRange Of(string name, StoredMap map, RequestedMarks marks)
    {
        bool hasOpacity = HasOpacity(map);
        int channels = map.Raster.Channels;
        var values = map.Raster.Values
            .Where((value, i) => (!hasOpacity || i % channels != channels - 1) && float.IsFinite(value) && !marks.Include(value));
        var few = values.Distinct().Take(3).Order().ToList();
        if (few.Count < 3)
            return few.Count == 0 ? new MaskRange(0, 1) : new MaskRange(few[0], few[^1]);
        float low = values.Min(), high = values.Max();
        float? white = map.Storage switch
        {
            ImageStorage image => image.Type.White(),
            ArrayStorage { Descriptor: "|u1" } => byte.MaxValue,
            ArrayStorage { IsFloatingPoint: true } => 1,
            _ => null,
        };
        if (white is { } upper && low >= 0 && high <= upper)
            return new MaskRange(0, upper);
        string found = string.Create(CultureInfo.InvariantCulture, $"its values go from {low:g6} to {high:g6}");
        throw new ArgumentException(
            $"{name}: --threshold needs a mask of two values, of 0 to 255 in 8 bits, or of real numbers from 0 to 1, but " +
            $"{found}. Scale them, or for the scores of a network use --kind logits --argmax.");
    }

    /// <summary>Whether the last channel of a map is opacity.</summary>
    public static bool HasOpacity(StoredMap map) => map is { Storage: ImageStorage, Raster.Channels: 2 or 4 };
}
