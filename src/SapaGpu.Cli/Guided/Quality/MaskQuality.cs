namespace SapaGpu.Cli.Guided.Quality;

/// <summary>
/// Masks: intersection over union of the object, and the F-measure of its boundary as video segmentation uses it
/// (Perazzi et al., <i>A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation</i>, CVPR 2016,
/// section 4), with a tolerance of <see cref="EdgeBand.Tolerance"/> pixels. The object is all pixels above the mean of
/// the input's two values.
/// </summary>
internal sealed class MaskQuality : QualityMeasure
{
    private readonly float threshold;
    private readonly int height;
    private readonly int width;
    private readonly bool[] truth;
    private readonly bool[] edges;
    private readonly bool[] nearEdges;

    public MaskQuality(Raster input, Raster truth)
    {
        threshold = (input.Values.Min() + input.Values.Max()) / 2;
        height = truth.Height;
        width = truth.Width;
        this.truth = ObjectOf(truth);
        edges = EdgeBand.Edges<bool>(this.truth, height, width);
        nearEdges = EdgeBand.Near(edges, height, width);
    }

    public override IReadOnlyList<QualityFigure> Figures { get; } =
        [new("IoU", "0.0000"), new($"Boundary F ({EdgeBand.Tolerance} px)", "0.0000")];

    public override IReadOnlyList<double[]> Measure(IReadOnlyList<Raster> results) =>
        [.. results.Select(ObjectOf).Select(found => new[] { IntersectionOverUnion(found), BoundaryMeasure(found) })];

    private bool[] ObjectOf(Raster raster) => Array.ConvertAll(raster.Values, value => value > threshold);

    private double IntersectionOverUnion(bool[] found)
    {
        long intersection = 0, union = 0;
        for (int i = 0; i < truth.Length; i++)
        {
            intersection += found[i] && truth[i] ? 1 : 0;
            union += found[i] || truth[i] ? 1 : 0;
        }
        return union == 0 ? 1 : (double)intersection / union;
    }

    private double BoundaryMeasure(bool[] found)
    {
        var foundEdges = EdgeBand.Edges<bool>(found, height, width);
        return EdgeBand.Agreement(edges, nearEdges, foundEdges, EdgeBand.Near(foundEdges, height, width));
    }
}
