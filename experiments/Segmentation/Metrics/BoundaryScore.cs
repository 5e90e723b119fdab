using SapaGpu.Cli.Guided.Quality;

namespace SapaGpu.Segmentation;

/// <summary>
/// The boundary F1 score of Csurka, Larlus and Perronnin, <i>What is a good evaluation measure for semantic
/// segmentation?</i>, BMVC 2013. The boundary of a class are its pixels beside another class. Precision is the share of
/// the found boundary that lies within <see cref="EdgeBand.Tolerance"/> pixels (Euclidean) of the true one, recall the
/// share of the true boundary that lies as near to the found one; F is 2PR / (P + R). An image's score is the mean over
/// the classes whose boundary the truth has; that of a data set is the mean over its images.
/// </summary>
internal static class BoundaryScore
{
    /// <summary>The score of an image; null if the truth has no boundary.</summary>
    /// <param name="truth">The right classes; everything from <paramref name="classes"/> on is void.</param>
    /// <param name="found">The predicted classes, void where the truth is.</param>
    /// <param name="classes">How many classes there are.</param>
    /// <param name="height">The rows.</param>
    /// <param name="width">The columns.</param>
    public static double? OfImage(byte[] truth, byte[] found, int classes, int height, int width)
    {
        var trueEdges = LabelEdges.Find(truth, classes, height, width);
        var foundEdges = LabelEdges.Find(found, classes, height, width);
        return Enumerable.Range(0, classes)
            .Select(
                label => OfClass(Boundary(truth, trueEdges, label), Boundary(found, foundEdges, label), height, width))
            .Average();
    }

    private static bool[] Boundary(byte[] labels, bool[] edges, int label)
    {
        var boundary = new bool[labels.Length];
        for (int i = 0; i < labels.Length; i++)
            boundary[i] = edges[i] && labels[i] == label;
        return boundary;
    }

    private static double? OfClass(bool[] truth, bool[] found, int height, int width)
    {
        if (!truth.Contains(true))
            return null;
        return EdgeBand.Agreement(
            truth, EdgeBand.Near(truth, height, width), found, EdgeBand.Near(found, height, width));
    }
}
