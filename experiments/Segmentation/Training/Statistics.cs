namespace SapaGpu.Segmentation;

/// <summary>Numbers that stand for many.</summary>
internal static class Statistics
{
    /// <summary>The middle one, or the mean of the two middle ones.</summary>
    public static double Median(this IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>The standard deviation of a sample; NaN of less than two values.</summary>
    public static double Deviation(this IReadOnlyCollection<double> values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
    }
}
