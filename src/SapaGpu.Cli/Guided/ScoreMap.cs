using System.Globalization;

namespace SapaGpu.Cli.Guided;

/// <summary>Scores of classes, a channel for each; one channel alone is the score of an object against all else.</summary>
/// <param name="Map">The scores or the probabilities.</param>
/// <param name="AreProbabilities">Whether they are probabilities.</param>
internal sealed record ScoreMap(Raster Map, bool AreProbabilities)
{
    /// <summary>How far the sum of the probabilities of a cell may be off in half precision.</summary>
    private const float SumTolerance = 0.01f;

    /// <summary>Whether what is taken for scores might be probabilities, as sigmoids of a network's channels are.</summary>
    public bool LookLikeProbabilities { get; private init; }

    /// <summary>The classes that can be told apart: one channel tells two.</summary>
    public int Classes => Math.Max(2, Map.Channels);

    /// <summary>Checks scores, and finds out whether they are probabilities.</summary>
    /// <param name="name">The file, for messages.</param>
    /// <param name="map">The values of the file.</param>
    /// <param name="mustBeProbabilities">Whether they were said to be probabilities.</param>
    /// <exception cref="InvalidDataException">A value is neither a score nor a probability.</exception>
    public static ScoreMap Of(string name, Raster map, bool mustBeProbabilities)
    {
        bool inRange = true, addUp = map.Channels > 1;
        for (int i = 0; i < map.Values.Length; i += map.Channels)
        {
            var cell = map.Values.AsSpan(i, map.Channels);
            float sum = 0, largest = float.NegativeInfinity;
            foreach (float score in cell)
            {
                if (float.IsNaN(score) || float.IsPositiveInfinity(score))
                    throw Refuse(name, map, i, $"is {score.ToString(CultureInfo.InvariantCulture)}; scores must be numbers");
                inRange &= score is >= 0 and <= 1;
                largest = Math.Max(largest, score);
                sum += score;
            }
            if (float.IsNegativeInfinity(largest) && cell.Length > 1)
                throw Refuse(name, map, i, "is -Infinity for every class; one must be possible");
            addUp &= MathF.Abs(sum - 1) <= SumTolerance;
            if (mustBeProbabilities && !inRange)
                throw Refuse(name, map, i, "is not from 0 to 1; leave --probabilities out for scores");
        }
        // A score for which no cell is unlikely is no score: one channel from 0 to 1 is a probability, too.
        bool are = mustBeProbabilities || (inRange && (addUp || map.Channels == 1));
        return new ScoreMap(map, are) { LookLikeProbabilities = inRange && !are };
    }

    /// <summary>How the map is upsampled to the class of every pixel, or to probabilities.</summary>
    public (Raster Map, CodecOfStep Codec) Prepare(int unknownClass, bool decides)
    {
        if (Map.Channels > 1)
            return (Map, MapCodecs.OfClasses(AreProbabilities, unknownClass, decides));
        var chances = Array.ConvertAll(Map.Values, score => AreProbabilities ? score : 1 / (1 + MathF.Exp(-score)));
        return decides
            ? (new Raster(Map.Height, Map.Width, 2, [.. chances.SelectMany(chance => (float[])[1 - chance, chance])]),
                MapCodecs.OfClasses(areProbabilities: true, unknownClass, decides))
            : (new Raster(Map.Height, Map.Width, 1, chances), MapCodecs.Of(MapKind.Features, hasOpacity: false, [], refines: false));
    }

    /// <summary>The number of the likeliest class of every pixel.</summary>
    /// <param name="map">Scores or probabilities.</param>
    /// <param name="level">What one channel alone must exceed.</param>
    public static Raster Argmax(Raster map, float level)
    {
        var classes = new Raster(map.Height, map.Width, 1);
        for (int i = 0; i < classes.Values.Length; i++)
        {
            var pixel = map.Values.AsSpan(i * map.Channels, map.Channels);
            int winner = map.Channels == 1 && pixel[0] > level ? 1 : 0;
            for (int c = 1; c < pixel.Length; c++)
            {
                if (pixel[c] > pixel[winner])
                    winner = c;
            }
            classes.Values[i] = winner;
        }
        return classes;
    }

    /// <summary>The number of the likeliest class of every cell.</summary>
    public Raster Argmax() => Argmax(Map, AreProbabilities ? 0.5f : 0);

    private static InvalidDataException Refuse(string name, Raster map, int sample, string what)
    {
        int cell = sample / map.Channels;
        return new InvalidDataException($"{name}: the cell in row {cell / map.Width}, column {cell % map.Width} {what}.");
    }
}
