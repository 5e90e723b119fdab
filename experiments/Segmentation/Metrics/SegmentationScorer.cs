using SapaGpu.Cli.Guided.Quality;

namespace SapaGpu.Segmentation;

/// <summary>Collects predictions, image by image, and scores them together.</summary>
internal sealed class SegmentationScorer(int classes, int height, int width)
{
    private readonly ConfusionMatrix everywhere = new(classes);
    private readonly ConfusionMatrix nearEdges = new(classes);
    private readonly List<double> boundaryScores = [];

    /// <summary>Adds images; they are compared on all processors and counted in order.</summary>
    /// <param name="truth">The right classes of every image; everything that is none of the classes is void.</param>
    /// <param name="found">The predicted classes of every image.</param>
    public void Add(IReadOnlyList<byte[]> truth, IReadOnlyList<byte[]> found)
    {
        var scores = new double?[truth.Count];
        var bands = new bool[truth.Count][];
        Each.InParallel(truth.Count, i =>
        {
            bands[i] = EdgeBand.Near(LabelEdges.Find(truth[i], classes, height, width), height, width);
            scores[i] = BoundaryScore.OfImage(truth[i], KnownOnly(truth[i], found[i]), classes, height, width);
        });
        for (int i = 0; i < truth.Count; i++)
        {
            everywhere.Add(truth[i], found[i]);
            nearEdges.Add(truth[i], found[i], bands[i]);
            if (scores[i] is { } score)
                boundaryScores.Add(score);
        }
    }

    /// <summary>The scores of what was added.</summary>
    public SegmentationScores Score() => new(
        everywhere.MeanIntersectionOverUnion(),
        nearEdges.MeanIntersectionOverUnion(),
        boundaryScores.Count == 0 ? 0 : boundaryScores.Average(),
        everywhere.IntersectionOverUnion());

    private byte[] KnownOnly(byte[] truth, byte[] found)
    {
        var known = new byte[found.Length];
        for (int i = 0; i < found.Length; i++)
            known[i] = truth[i] < classes ? found[i] : truth[i];
        return known;
    }
}
