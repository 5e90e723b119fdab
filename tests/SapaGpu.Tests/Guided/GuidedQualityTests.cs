using NUnit.Framework;
using SapaGpu.Cli.Guided;
using SapaGpu.Cli.Guided.Quality;
using SapaGpu.Cli.Images;

namespace SapaGpu.Tests.Guided;

/// <summary>
/// Photographs with known maps: maps made smaller are brought back with the defaults of their kind, and must come as near to the truth
/// as they did when the bounds were set. Prints the figures, and those of standard deviations that are chosen on all other photographs.
/// </summary>
[TestFixture]
[NonParallelizable]
internal sealed class GuidedQualityTests
{
    private const string FolderVariable = "SAPAGPU_DATA";

    private static readonly double[] Factors = [2 / 3.0, 1, 1.5];

    [TestCase(4, 0.966, 0.98)]
    [TestCase(8, 0.943, 0.925)]
    [TestCase(16, 0.9, 0.77)]
    public void Masks_come_near_to_the_truth(int ratio, double smallest, double smallestAtEdges)
    {
        var means = Measure(new Data("masks", "_mask", MapKind.Mask, SmallMaps.OfMask), ratio);
        Assert.That(means[0], Is.GreaterThan(smallest));
        Assert.That(means[1], Is.GreaterThan(smallestAtEdges));
    }

    [TestCase(4, 0.958, 0.8)]
    [TestCase(8, 0.935, 0.7)]
    [TestCase(16, 0.89, 0.57)]
    public void Labels_come_near_to_the_truth(int ratio, double smallest, double smallestAtEdges)
    {
        var means = Measure(new Data("scenes", "_label", MapKind.Labels, SmallMaps.OfLabels), ratio);
        Assert.That(means[0], Is.GreaterThan(smallest));
        Assert.That(means[1], Is.GreaterThan(smallestAtEdges));
    }

    [TestCase(4, 0.24)]
    [TestCase(8, 0.46)]
    [TestCase(16, 0.92)]
    public void Disparities_come_near_to_the_truth(int ratio, double largest) => Assert.That(
        Measure(new Data("depth", "_disparity", MapKind.Depth, OfDepth, 0), ratio)[0], Is.LessThan(largest));

    [TestCase(4, 0.8)]
    [TestCase(8, 1.4)]
    [TestCase(16, 2.8)]
    public void Soft_masks_come_near_to_the_truth(int ratio, double largest) => Assert.That(
        Measure(new Data("masks", "_mask", MapKind.Image, SmallMaps.OfImage), ratio)[0], Is.LessThan(largest));

    /// <summary>
    /// Every photograph with the standard deviations that are best on all others: what may be expected of photographs that nothing was
    /// chosen on, and it must be no worse than the defaults by more than chance.
    /// </summary>
    [Test]
    [Explicit("Runs every photograph nine times.")]
    public void Standard_deviations_carry_over([Values("masks", "scenes", "depth")] string folder, [Values(4, 8, 16)] int ratio)
    {
        var data = folder switch
        {
            "masks" => new Data(folder, "_mask", MapKind.Mask, SmallMaps.OfMask),
            "scenes" => new Data(folder, "_label", MapKind.Labels, SmallMaps.OfLabels),
            _ => new Data(folder, "_disparity", MapKind.Depth, OfDepth, 0),
        };
        int figure = folder == "scenes" ? 1 : 0;
        int sign = folder == "depth" ? -1 : 1;
        var defaults = KernelDefaults.For(data.Kind);
        var rows = Factors.SelectMany(colour => Factors.Select(space => data.Maps().Select(map =>
        {
            var options = data.Options with
            {
                ColourSigma = defaults.ColourSigma * colour,
                SpaceSigma = defaults.SpaceSigma * space,
            };
            return sign * Measure(map, data, ratio, [options]).Results[0][figure];
        }).ToArray())).ToArray();
        int photographs = rows[0].Length;
        double left = Enumerable.Range(0, photographs)
            .Average(i => rows.MaxBy(row => row.Where((_, other) => other != i).Average())![i]);
        double chosen = rows[Factors.Length * Factors.Length / 2].Average();
        TestContext.Out.WriteLine(
            $"{folder} x{ratio}: {sign * left:F4} left one out, {sign * chosen:F4} by the defaults, " +
            $"{sign * rows.Min(row => row.Average()):F4} by the worst of {rows.Length}");
        Assert.That(left, Is.EqualTo(chosen).Within(Math.Abs(chosen) * 0.03));
    }

    private static Raster OfDepth(Raster truth, int height, int width) => SmallMaps.OfDepth(truth, height, width, 0);

    private static double[] Measure(Data data, int ratio)
    {
        var methods = Enum.GetValues<UpsampleMethod>();
        var all = methods.Select(method => data.Options with { Method = method })
            .Append(data.Options with { Refine = false }).ToArray();
        var runs = data.Maps().Select(map => Measure(map, data, ratio, all)).ToList();
        TestContext.Out.WriteLine($"{data.Folder} as {data.Kind}, {runs.Count} photographs, 1/{ratio}, means");
        var means = all.Select((_, i) => runs[0].Figures.Select((_, f) => runs.Average(run => run.Results[i][f])).ToArray()).ToList();
        for (int i = 0; i < all.Length; i++)
        {
            string name = all[i].Refine ? all[i].Method.Title() : "kernel";
            TestContext.Out.WriteLine(
                $"  {name,-9}{string.Join("   ", runs[0].Figures.Zip(means[i], (figure, number) => figure.Describe(number)))}");
        }
        return means[Array.IndexOf(methods, UpsampleMethod.Sapa)];
    }

    private static (IReadOnlyList<QualityFigure> Figures, IReadOnlyList<double[]> Results) Measure(
        string mapPath, Data data, int ratio, IReadOnlyList<GuidedOptions> all)
    {
        var photo = ImageFile.ReadPhoto(PhotoOf(mapPath, data.Suffix));
        var truth = ImageFile.ReadSamples(mapPath).Raster;
        if (data.Kind == MapKind.Depth)
            truth = ToPixels(truth, mapPath);
        var small = data.Shrink(truth, (truth.Height + ratio - 1) / ratio, (truth.Width + ratio - 1) / ratio);
        var measure = QualityMeasure.For(data.Kind, small, truth, data.Unknown);
        var maps = all.Select(options =>
        {
            var map = new Raster(photo.Height, photo.Width, small.Channels);
            GuidedUpsampler.Upsample(
                new PhotoSpan(photo.Samples, photo.Height, photo.Width),
                new MapSpan<float>(small.Values, small.Height, small.Width, small.Channels),
                map.Values.AsSpan(),
                options with { Device = TestDevices.Open("cpu") });
            return map;
        }).ToList();
        return (measure.Figures, [.. measure.Measure(maps)]);
    }

    private static string PhotoOf(string map, string suffix)
    {
        string stem = map[..^(suffix.Length + ".png".Length)];
        return File.Exists(stem + ".jpg") ? stem + ".jpg" : stem + ".png";
    }

    /// <summary>The scenes of 2003 store disparities in quarters of a pixel, those of 2005 in thirds.</summary>
    private static Raster ToPixels(Raster truth, string path)
    {
        string scene = Path.GetFileName(path).Split('_')[0];
        float unit = scene is "cones" or "teddy" ? 4 : 3;
        return new Raster(truth.Height, truth.Width, 1, Array.ConvertAll(truth.Values, value => value / unit));
    }

    private sealed record Data(
        string Folder, string Suffix, MapKind Kind, Func<Raster, int, int, Raster> Shrink, float? Unknown = null)
    {
        public GuidedOptions Options => new() { Kind = Kind, Unknown = Unknown is { } mark ? [mark] : [] };

        public string[] Maps()
        {
            string? data = Environment.GetEnvironmentVariable(FolderVariable);
            if (data is null)
                Assert.Ignore($"{FolderVariable} names no folder with data/guided in it.");
            return Directory.GetFiles(Path.Combine(data, "data", "guided", Folder), $"*{Suffix}.png");
        }
    }
}
