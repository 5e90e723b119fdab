namespace SapaGpu.Segmentation;

/// <summary>
/// Median frequency balancing (Eigen and Fergus, ICCV 2015): the weight of a class is the median of all frequencies
/// over its own, its frequency being its share of the pixels of the images that have it.
/// </summary>
internal static class ClassWeights
{
    /// <summary>The largest weight; a class of a few pixels would otherwise rule the loss.</summary>
    public const float Largest = 10;

    /// <summary>The weights of the classes; a class that no image has gets none.</summary>
    public static float[] Balance(ImageSet images, int classes)
    {
        var frequencies = Frequencies(images, classes);
        var present = frequencies.Where(frequency => frequency > 0).Order().ToArray();
        double median = (present[(present.Length - 1) / 2] + present[present.Length / 2]) / 2;
        return Array.ConvertAll(
            frequencies, frequency => frequency > 0 ? (float)Math.Min(median / frequency, Largest) : 0);
    }

    private static double[] Frequencies(ImageSet images, int classes)
    {
        var pixelsOfClass = new long[classes];
        var pixelsOfImages = new long[classes];
        foreach (var labels in images.Labels)
        {
            var counts = new long[byte.MaxValue + 1];
            foreach (byte label in labels)
                counts[label]++;
            for (int c = 0; c < classes; c++)
            {
                pixelsOfClass[c] += counts[c];
                pixelsOfImages[c] += counts[c] > 0 ? labels.Length : 0;
            }
        }
        return [.. pixelsOfClass.Zip(pixelsOfImages, (own, all) => all == 0 ? 0 : (double)own / all)];
    }
}
