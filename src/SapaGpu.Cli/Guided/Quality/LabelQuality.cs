namespace SapaGpu.Cli.Guided.Quality;

/// <summary>
/// Labels: intersection over union, averaged over the classes of the truth, of the whole map and of the pixels within
/// <see cref="EdgeBand.Tolerance"/> pixels of the true edges. Pixels that are unknown in the truth are left out.
/// </summary>
internal sealed class LabelQuality : QualityMeasure
{
    private readonly ClassMap truth;
    private readonly bool[] known;
    private readonly bool[] knownNearEdges;

    public LabelQuality(ClassMap truth, float? unknown)
    {
        this.truth = truth;
        int? unknownClass = truth.FindUnknown(unknown);
        known = Array.ConvertAll(truth.Classes.ToArray(), label => label != unknownClass);
        var edges = EdgeBand.Edges(truth.Classes, truth.Height, truth.Width);
        var near = EdgeBand.Near(edges, truth.Height, truth.Width);
        knownNearEdges = [.. known.Zip(near, (isKnown, isNear) => isKnown && isNear)];
    }

    public override IReadOnlyList<QualityFigure> Figures { get; } =
        [new("mIoU", "0.0000"), new($"mIoU within {EdgeBand.Tolerance} px of edges", "0.0000")];

    public override IReadOnlyList<double[]> Measure(IReadOnlyList<Raster> results) =>
    [
        .. results.Select(truth.Like).Select(found => new[]
        {
            MeanIntersectionOverUnion(found, known), MeanIntersectionOverUnion(found, knownNearEdges),
        }),
    ];

    private double MeanIntersectionOverUnion(ClassMap found, bool[] scored)
    {
        var intersections = new long[found.Count];
        var unions = new long[found.Count];
        var present = new bool[found.Count];
        for (int i = 0; i < scored.Length; i++)
        {
            if (!scored[i])
                continue;
            int right = truth.Classes[i], actual = found.Classes[i];
            present[right] = true;
            unions[right]++;
            if (right == actual)
                intersections[right]++;
            else
                unions[actual]++;
        }
        var classes = Enumerable.Range(0, present.Length).Where(label => present[label]).ToList();
        return classes.Count == 0 ? 1 : classes.Average(label => (double)intersections[label] / unions[label]);
    }
}
