namespace SapaGpu.Segmentation;

/// <summary>
/// How many pixels of every class were given which class; pixels that the truth does not know are left out.
/// </summary>
internal sealed class ConfusionMatrix(int classes)
{
    private readonly long[,] counts = new long[classes, classes];

    /// <summary>Counts the pixels of an image, or those of them that are marked.</summary>
    /// <param name="truth">The right classes; everything that is none of the classes is void.</param>
    /// <param name="found">The predicted classes.</param>
    /// <param name="isScored">What to count; empty for everything.</param>
    public void Add(ReadOnlySpan<byte> truth, ReadOnlySpan<byte> found, ReadOnlySpan<bool> isScored = default)
    {
        for (int i = 0; i < truth.Length; i++)
        {
            if (truth[i] < classes && (isScored.IsEmpty || isScored[i]))
                counts[truth[i], found[i]]++;
        }
    }

    /// <summary>Intersection over union of every class; null for one that is neither there nor found.</summary>
    public double?[] IntersectionOverUnion() => [.. Enumerable.Range(0, classes).Select(IntersectionOverUnion)];

    /// <summary>
    /// The mean of intersection over union over the classes that are there or found; 0 if there are none.
    /// </summary>
    public double MeanIntersectionOverUnion() => IntersectionOverUnion().Average() ?? 0;

    private double? IntersectionOverUnion(int label)
    {
        long union = -counts[label, label];
        for (int other = 0; other < classes; other++)
            union += counts[label, other] + counts[other, label];
        return union == 0 ? null : (double)counts[label, label] / union;
    }
}
