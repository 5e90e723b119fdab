using System.Globalization;
using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided.Figures;

/// <summary>Shows where two maps of one size differ.</summary>
/// <param name="areClasses">Whether values are classes, which differ or not.</param>
/// <param name="unknown">The mark of missing values; null if there is none.</param>
internal sealed class DifferencePainter(bool areClasses, float? unknown)
{
    private static readonly byte[] Same = [235, 235, 235];
    private static readonly byte[] Other = [200, 30, 40];

    /// <summary>The largest difference of two maps.</summary>
    public double Largest(Raster first, Raster second) => Differences(first, second).Where(double.IsFinite).DefaultIfEmpty(0).Max();

    /// <summary>How much two maps differ, in a few words.</summary>
    public string Describe(Raster first, Raster second)
    {
        var differences = Differences(first, second).ToList();
        double share = differences.Average(difference => difference > 0 ? 1.0 : 0.0);
        return areClasses
            ? string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.00} % of pixels differ")
            : string.Create(CultureInfo.InvariantCulture, $"differences up to {Largest(first, second):g3}");
    }

    /// <summary>Paints the difference of two maps, missing values in black.</summary>
    /// <param name="first">A map.</param>
    /// <param name="second">Another one.</param>
    /// <param name="largest">The difference that gets the lightest colour.</param>
    public Photo Paint(Raster first, Raster second, double largest)
    {
        var picture = new Photo(first.Height, first.Width);
        int pixel = 0;
        foreach (double difference in Differences(first, second))
        {
            var colour = picture.Samples.AsSpan(pixel++ * Photo.Channels, Photo.Channels);
            if (!double.IsFinite(difference))
                continue;
            if (areClasses)
                (difference > 0 ? Other : Same).CopyTo(colour);
            else
                ColourScale.OfNumber(largest > 0 ? (float)(difference / largest) : 0, colour);
        }
        return picture;
    }

    /// <summary>The mean difference of the samples of every pixel; NaN where one of the maps has a missing value.</summary>
    private IEnumerable<double> Differences(Raster first, Raster second)
    {
        for (int i = 0; i < first.Values.Length; i += first.Channels)
        {
            bool isMissing = Unknown.Is(first.Values.AsSpan(i, first.Channels), unknown)
                || Unknown.Is(second.Values.AsSpan(i, first.Channels), unknown);
            if (isMissing && !areClasses)
            {
                yield return double.NaN;
                continue;
            }
            double sum = 0;
            for (int c = 0; c < first.Channels; c++)
                sum += first.Values[i + c].Equals(second.Values[i + c]) ? 0 : Math.Abs((double)first.Values[i + c] - second.Values[i + c]);
            yield return sum / first.Channels;
        }
    }
}
