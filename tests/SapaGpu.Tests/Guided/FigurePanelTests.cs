using NUnit.Framework;
using SapaGpu.Cli.Guided;
using SapaGpu.Cli.Guided.Figures;
using SapaGpu.Cli.Images;

namespace SapaGpu.Tests.Guided;

[TestFixture]
internal sealed class FigurePanelTests
{
    private static readonly byte[] Red = [255, 64, 64];

    [TestCase(1, 1)]
    [TestCase(1, 900)]
    [TestCase(700, 3)]
    [TestCase(24, 32)]
    [TestCase(600, 801)]
    public void All_panels_are_full_for_photos_of_any_size(int height, int width)
    {
        foreach (bool hasTruth in (bool[])[false, true])
        {
            var results = Results(height, width);
            var panels = Panels(new Photo(height, width), results);
            var rows = panels.Make(hasTruth ? results[0].Map : null);
            Assert.That(rows.Select(row => row.Count), Is.EqualTo(hasTruth ? new[] { 4, 4, 4 } : [5, 5]));
            var figure = ComparisonFigure.Draw(rows, panels.Height, panels.Width);
            Assert.That(figure.Width, Is.GreaterThan(rows[0].Count * panels.Width));
            Assert.That(Math.Max(panels.Height, panels.Width), Is.InRange(400, 480));
        }
    }

    [Test]
    public void The_enlarged_part_is_where_results_differ_most()
    {
        var results = Results(200, 400);
        for (int row = 150; row < 160; row++)
            results[2].Map.Values.AsSpan(row * 400 + 300, 10).Fill(255);
        var rows = Panels(new Photo(200, 400), results).Make(null);
        var enlarged = rows[1][3].Picture;
        Assert.That((enlarged.Height, enlarged.Width), Is.EqualTo((50, 100)));
        Assert.That(enlarged.Samples.Count(sample => sample == 255), Is.EqualTo(10 * 10 * 3));
        Assert.That(Enumerable.Range(0, 200 * 400).Count(i => rows[0][3].Picture.Samples.AsSpan(3 * i, 3).SequenceEqual(Red)), Is.Positive);
        Assert.That(rows[0][4].Caption.Single(), Does.Contain("up to 255"));
    }

    [Test]
    public void Classes_differ_or_not_and_missing_values_are_black()
    {
        var first = new Raster(1, 4, 1, [1, 2, 3, 0]);
        var second = new Raster(1, 4, 1, [1, 3, 9, 0]);
        Assert.That(new DifferencePainter(areClasses: true, null).Describe(first, second), Is.EqualTo("50.00 % of pixels differ"));
        var numbers = new DifferencePainter(areClasses: false, 0);
        Assert.That(numbers.Describe(first, second), Is.EqualTo("differences up to 6"));
        Assert.That(numbers.Paint(first, second, 6).PixelAt(0, 3).ToArray(), Is.All.Zero);
        Assert.That(numbers.Paint(first, second, 6).PixelAt(0, 0).ToArray(), Has.Some.Positive);
    }

    private static List<ShownResult> Results(int height, int width) =>
        [.. Enum.GetValues<UpsampleMethod>().Select(method => new ShownResult(method.ToString(), new Raster(height, width, 1)))];

    private static FigurePanels Panels(Photo photo, List<ShownResult> results)
    {
        var input = new StoredMap(new Raster(1, 1, 1), new ImageStorage(SampleType.UInt8, null));
        return new FigurePanels(
            photo, results, MapPainter.For(input, MapKind.Image, null), new DifferencePainter(areClasses: false, null));
    }
}
