using NUnit.Framework;
using SapaGpu.Cli.Guided.Quality;

namespace SapaGpu.Tests.Guided;

[TestFixture]
internal sealed class QualityMeasureTests
{
    private const int Size = 40;

    [Test]
    public void Mask_that_is_right_scores_one_and_a_shifted_one_less()
    {
        var truth = Square(10, 20, 255);
        var measure = QualityMeasure.For(MapKind.Mask, truth, truth, null);
        var results = measure.Measure([truth, Square(12, 20, 255), Square(14, 20, 255)]);
        Assert.That(results[0], Is.All.EqualTo(1));

        // Of 20x20 pixels, a shift by two leaves 20x18 in common, of 20x22 in either.
        Assert.That(results[1][0], Is.EqualTo(18.0 / 22).Within(1e-12));
        Assert.That(results[1][1], Is.EqualTo(1), "a shift by less than the tolerance");
        Assert.That(results[2][1], Is.LessThan(0.8), "a shift by more than the tolerance");
    }

    [Test]
    public void Labels_are_scored_class_by_class_without_the_unknown_one()
    {
        var truth = new Raster(1, 8, 1, [1, 1, 1, 1, 2, 2, 9, 9]);
        var found = new Raster(1, 8, 1, [1, 1, 2, 2, 2, 2, 1, 2]);
        var measure = QualityMeasure.For(MapKind.Labels, truth, truth, 9);
        Assert.That(measure.Measure([found])[0][0], Is.EqualTo((2.0 / 4 + 2.0 / 4) / 2).Within(1e-12));
        Assert.That(measure.Measure([truth])[0], Is.All.EqualTo(1));
    }

    [Test]
    public void Edges_count_pixels_within_three_of_them()
    {
        var marks = new bool[Size * Size];
        marks[20 * Size + 20] = true;
        var near = EdgeBand.Near(marks, Size, Size);
        Assert.That(near.Count(mark => mark), Is.EqualTo(29));
        Assert.That(near[20 * Size + 23] && near[17 * Size + 20] && near[18 * Size + 22], Is.True);
        Assert.That(near[18 * Size + 23] || near[20 * Size + 24], Is.False);
    }

    [Test]
    public void Values_are_scored_where_the_truth_and_all_methods_know_them()
    {
        var truth = new Raster(1, 5, 1, [10, 20, 30, 0, 50]);
        var first = new Raster(1, 5, 1, [12, 20, 0, 7, 51]);
        var second = new Raster(1, 5, 1, [10, 26, 99, 7, 50]);
        var results = QualityMeasure.For(MapKind.Depth, truth, truth, 0).Measure([first, second]);
        Assert.That(results[0], Is.EqualTo(new[] { 1.0, 0.25 }).Within(1e-12));
        Assert.That(results[1], Is.EqualTo(new[] { 2.0, 0 }).Within(1e-12));
    }

    private static Raster Square(int column, int side, float value)
    {
        var raster = new Raster(Size, Size, 1);
        for (int row = 0; row < side; row++)
            raster.Values.AsSpan((row + 10) * Size + column, side).Fill(value);
        return raster;
    }
}
