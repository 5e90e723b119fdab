using System.Numerics;

namespace SapaGpu.Guided;

/// <summary>
/// The classes of a map of labels, numbered in order of appearance: labels of any type, numbers above 2²⁴ too, come out as
/// they went in.
/// </summary>
internal sealed class ClassNumbers<T>
    where T : unmanaged, INumber<T>
{
    // As many as single precision counts.
    private const int Most = 1 << 24;

    private readonly List<T> labels = [];

    /// <summary>Numbers the labels of a map.</summary>
    /// <exception cref="ArgumentException">The map has more than one channel, or too many classes.</exception>
    public ClassNumbers(MapSpan<T> map)
    {
        if (map.Channels != 1)
            throw new ArgumentException($"A map of labels has one channel; got {map.Channels}.", nameof(map));
        Numbers = new Raster(map.Height, map.Width, 1);
        var known = new Dictionary<T, int>();
        for (int i = 0; i < map.Values.Length; i++)
        {
            if (!known.TryGetValue(map.Values[i], out int number))
            {
                number = labels.Count;
                if (number == Most)
                    throw new ArgumentException($"A map of labels has at most {Most:N0} classes.", nameof(map));
                known.Add(map.Values[i], number);
                labels.Add(map.Values[i]);
            }
            Numbers.Values[i] = number;
        }
    }

    /// <summary>The number of the class of every cell.</summary>
    public Raster Numbers { get; }

    /// <summary>The numbers of the classes that have a value, none or one.</summary>
    public float[] Find(IEnumerable<double> values) =>
    [
        .. values.Select(value => labels.FindIndex(label => double.CreateSaturating(label).Equals(value)))
            .Where(number => number >= 0)
            .Select(number => (float)number),
    ];

    /// <summary>The labels by their numbers, in a type that holds them all.</summary>
    /// <exception cref="ArgumentException">The type does not hold one of them.</exception>
    public TResult[] As<TResult>()
        where TResult : unmanaged, INumber<TResult> => [.. labels.Select(label =>
        {
            var converted = TResult.CreateSaturating(label);
            return T.CreateSaturating(converted).Equals(label)
                ? converted
                : throw new ArgumentException(
                    $"The class {label} is no {typeof(TResult).Name}; take a result of type {typeof(T).Name}.");
        })];
}
