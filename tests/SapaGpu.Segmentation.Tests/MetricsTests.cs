using NUnit.Framework;

namespace SapaGpu.Segmentation.Tests;

[TestFixture]
internal sealed class MetricsTests
{
    private const int Classes = 4;
    private const byte Void = 4;
    private const int Height = 20;
    private const int Width = 27;
    private const int Tolerance = 3;

    [Test]
    public void Intersection_over_union_is_counted_over_all_images()
    {
        var matrix = new ConfusionMatrix(3);
        matrix.Add([0, 0, 1, 1, 9], [0, 1, 1, 1, 2]);
        matrix.Add([0, 0], [0, 0]);

        // Class 0: 3 of 4; class 1: 2 of 3; class 2 is found in void only.
        Assert.That(matrix.IntersectionOverUnion(), Is.EqualTo(new double?[] { 0.75, 2.0 / 3, null }));
        Assert.That(matrix.MeanIntersectionOverUnion(), Is.EqualTo((0.75 + 2.0 / 3) / 2).Within(1e-12));
    }

    [Test]
    public void Only_marked_pixels_are_counted()
    {
        var matrix = new ConfusionMatrix(2);
        matrix.Add([0, 0, 1, 1], [0, 1, 0, 1], [true, false, false, true]);
        Assert.That(matrix.MeanIntersectionOverUnion(), Is.EqualTo(1));
    }

    [Test]
    public void Edges_lie_on_both_sides_of_two_classes_but_not_beside_void()
    {
        byte[] labels =
        [
            0, 0, 1, 1,
            0, 0, 1, 2,
            5, 5, 5, 2,
        ];
        Assert.That(LabelEdges.Find(labels, 3, 3, 4), Is.EqualTo(new[]
        {
            false, true, true, true,
            false, true, true, true,
            false, false, false, false,
        }));
    }

    [Test]
    public void A_boundary_that_is_right_scores_one_and_a_far_one_nothing()
    {
        var truth = Halves(column: 10);
        Assert.That(BoundaryScore.OfImage(truth, truth, 2, Height, Width), Is.EqualTo(1));
        Assert.That(
            BoundaryScore.OfImage(truth, Halves(column: 13), 2, Height, Width), Is.EqualTo(1), "within the tolerance");
        Assert.That(BoundaryScore.OfImage(truth, Halves(column: 14), 2, Height, Width), Is.Zero);
        Assert.That(
            BoundaryScore.OfImage(new byte[Height * Width], truth, 2, Height, Width), Is.Null, "no boundary to find");
    }

    [Test]
    public void Half_of_a_boundary_has_full_precision_and_half_the_recall()
    {
        // Two vertical edges far from each other; only the first is found.
        var truth = Halves(column: 6);
        for (int i = 0; i < truth.Length; i++)
            truth[i] = i % Width >= 20 ? (byte)0 : truth[i];
        double? score = BoundaryScore.OfImage(truth, Halves(column: 6), 2, Height, Width);
        Assert.That(score, Is.EqualTo(2 * 1 * 0.5 / 1.5).Within(1e-12));
    }

    [Test]
    public void Scores_are_those_of_double_loops([Values(1, 2, 3)] int seed)
    {
        var random = new Random(seed);
        byte[][] truth = [.. Enumerable.Range(0, 4).Select(_ => Blocks(random, Classes + 1))];
        byte[][] found = [.. truth.Select(labels => Disturbed(random, labels))];
        var scorer = new SegmentationScorer(Classes, Height, Width);
        scorer.Add(truth[..1], found[..1]);
        scorer.Add(truth[1..], found[1..]);
        var scores = scorer.Score();

        var everywhere = truth.SelectMany((labels, i) => labels.Zip(found[i])).ToList();
        var near = truth.SelectMany((labels, i) => Enumerable.Range(0, labels.Length)
            .Where(pixel => NaiveEdges(labels).Any(edge => IsWithinTolerance(edge, pixel)))
            .Select(pixel => (labels[pixel], found[i][pixel]))).ToList();
        Assert.That(scores.MeanIoU, Is.EqualTo(NaiveMeanIoU(everywhere)).Within(1e-12));
        Assert.That(scores.EdgeMeanIoU, Is.EqualTo(NaiveMeanIoU(near)).Within(1e-12));
        Assert.That(scores.BoundaryF, Is.EqualTo(truth.Zip(found, NaiveBoundaryF).Average()).Within(1e-12));
        Assert.That(scores.MeanIoU, Is.InRange(0.1, 0.9));
        Assert.That(scores.BoundaryF, Is.InRange(0.1, 0.99));
    }

    private static byte[] Halves(int column) =>
        [.. Enumerable.Range(0, Height * Width).Select(i => (byte)(i % Width < column ? 0 : 1))];

    private static byte[] Blocks(Random random, int labels)
    {
        const int Side = 7;
        var colours = new byte[Height * Width];
        random.NextBytes(colours);
        return [.. Enumerable.Range(0, Height * Width)
            .Select(i => (byte)(colours[i / Width / Side * Width + i % Width / Side] % labels))];
    }

    private static byte[] Disturbed(Random random, byte[] labels) =>
        [.. labels.Select(label => random.Next(4) == 0 || label == Void ? (byte)random.Next(Classes) : label)];

    private static double NaiveMeanIoU(List<(byte Truth, byte Found)> pixels)
    {
        var known = pixels.Where(pixel => pixel.Truth != Void).ToList();
        return Enumerable.Range(0, Classes)
            .Where(label => known.Any(pixel => pixel.Truth == label || pixel.Found == label))
            .Average(label => (double)known.Count(pixel => pixel.Truth == label && pixel.Found == label)
                / known.Count(pixel => pixel.Truth == label || pixel.Found == label));
    }

    private static double? NaiveBoundaryF(byte[] truth, byte[] found)
    {
        byte[] known = [.. found.Zip(truth, (label, right) => right == Void ? Void : label)];
        var scores = new List<double>();
        for (int label = 0; label < Classes; label++)
        {
            var right = NaiveEdges(truth).Where(pixel => truth[pixel] == label).ToList();
            var own = NaiveEdges(known).Where(pixel => known[pixel] == label).ToList();
            if (right.Count == 0)
                continue;
            double precision = ShareNear(own, right), recall = ShareNear(right, own);
            scores.Add(precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall));
        }
        return scores.Count == 0 ? null : scores.Average();
    }

    private static double ShareNear(List<int> pixels, List<int> others) => pixels.Count == 0
        ? 0
        : pixels.Average(pixel => others.Exists(other => IsWithinTolerance(pixel, other)) ? 1.0 : 0);

    private static List<int> NaiveEdges(byte[] labels) =>
    [
        .. from pixel in Enumerable.Range(0, labels.Length)
           where labels[pixel] != Void
           let neighbours = from other in new[] { pixel - 1, pixel + 1, pixel - Width, pixel + Width }
                            where other >= 0 && other < labels.Length && SquaredDistance(pixel, other) == 1
                            select labels[other]
           where neighbours.Any(other => other != Void && other != labels[pixel])
           select pixel,
    ];

    private static bool IsWithinTolerance(
        int first, int second) => SquaredDistance(first, second) <= Tolerance * Tolerance;

    private static int SquaredDistance(int first, int second)
    {
        int rows = first / Width - second / Width, columns = first % Width - second % Width;
        return rows * rows + columns * columns;
    }
}
