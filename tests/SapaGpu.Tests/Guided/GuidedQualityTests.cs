using NUnit.Framework;
using SapaGpu.Cli.Guided;
using SapaGpu.Cli.Guided.Quality;
using SapaGpu.Cli.Images;

namespace SapaGpu.Tests.Guided;

/// <summary>
/// Photographs with known maps: maps made eight times smaller are brought back with the default kernel of their kind,
/// and must come nearer to the truth than by bilinear interpolation on the average. Prints the figures.
/// </summary>
[TestFixture]
[NonParallelizable]
internal sealed class GuidedQualityTests
{
    private const string FolderVariable = "SAPAGPU_DATA";
    private const int Ratio = 8;

    [Test]
    public void Masks_come_nearer_to_the_truth_than_by_bilinear()
    {
        var means = Measure("masks", "_mask", MapKind.Mask, null, SmallMaps.OfMask);
        Assert.That(means[UpsampleMethod.Sapa][0], Is.GreaterThan(means[UpsampleMethod.Bilinear][0]));
        Assert.That(means[UpsampleMethod.Sapa][1], Is.GreaterThan(means[UpsampleMethod.Bilinear][1]));
    }

    [Test]
    public void Labels_come_nearer_to_the_truth_than_by_bilinear()
    {
        var means = Measure("scenes", "_label", MapKind.Labels, null, SmallMaps.OfLabels);
        Assert.That(means[UpsampleMethod.Sapa][0], Is.GreaterThan(means[UpsampleMethod.Bilinear][0]));
        Assert.That(means[UpsampleMethod.Sapa][1], Is.GreaterThan(means[UpsampleMethod.Bilinear][1]));
    }

    [Test]
    public void Disparities_come_nearer_to_the_truth_than_by_bilinear()
    {
        const float Unknown = 0;
        var means = Measure(
            "depth",
            "_disparity",
            MapKind.Depth,
            Unknown,
            (truth, height, width) => SmallMaps.OfDepth(truth, height, width, Unknown));
        Assert.That(means[UpsampleMethod.Sapa][0], Is.LessThan(means[UpsampleMethod.Bilinear][0]));
    }

    [Test]
    public void Soft_masks_come_nearer_to_the_truth_than_by_bilinear()
    {
        var means = Measure("masks", "_mask", MapKind.Image, null, SmallMaps.OfImage);
        Assert.That(means[UpsampleMethod.Sapa][0], Is.LessThan(means[UpsampleMethod.Bilinear][0]));
    }

    private static Dictionary<UpsampleMethod, double[]> Measure(
        string folder, string suffix, MapKind kind, float? unknown, Func<Raster, int, int, Raster> shrink)
    {
        string? data = Environment.GetEnvironmentVariable(FolderVariable);
        if (data is null)
            Assert.Ignore($"{FolderVariable} names no folder with data/guided in it.");
        var maps = Directory.GetFiles(Path.Combine(data, "data", "guided", folder), $"*{suffix}.png");
        var device = TestDevices.Open("cpu");
        var runs = maps.Select(map => Measure(map, suffix, kind, unknown, shrink, device)).ToList();

        var figures = runs[0].Figures;
        var means = Enum.GetValues<UpsampleMethod>().ToDictionary(
            method => method,
            method => figures.Select((_, i) => runs.Average(run => run.Results[method][i])).ToArray());
        TestContext.Out.WriteLine($"{folder} as {kind}, {runs.Count} photographs, means; {KernelDefaults.For(kind)}");
        foreach (var (method, numbers) in means)
        {
            var texts = figures.Zip(numbers, (figure, number) => figure.Describe(number));
            TestContext.Out.WriteLine($"  {method.Title(),-9}{string.Join("   ", texts)}");
        }
        return means;
    }

    private static (IReadOnlyList<QualityFigure> Figures, Dictionary<UpsampleMethod, double[]> Results) Measure(
        string mapPath,
        string suffix,
        MapKind kind,
        float? unknown,
        Func<Raster, int, int, Raster> shrink,
        ComputeDevice device)
    {
        var photo = ImageFile.ReadPhoto(PhotoOf(mapPath, suffix));
        var truth = ImageFile.ReadSamples(mapPath).Raster;
        if (kind == MapKind.Depth)
            truth = ToPixels(truth, mapPath);
        var small = shrink(truth, (truth.Height + Ratio - 1) / Ratio, (truth.Width + Ratio - 1) / Ratio);
        var measure = QualityMeasure.For(kind, small, truth, unknown);
        var methods = Enum.GetValues<UpsampleMethod>();
        var maps = methods.Select(method =>
        {
            var map = new Raster(photo.Height, photo.Width, small.Channels);
            GuidedUpsampler.Upsample(
                new PhotoSpan(photo.Samples, photo.Height, photo.Width),
                new MapSpan<float>(small.Values, small.Height, small.Width, small.Channels),
                map.Values.AsSpan(),
                new GuidedOptions { Kind = kind, Method = method, Unknown = unknown is { } mark ? [mark] : [], Device = device });
            return map;
        }).ToList();
        var results = methods.Zip(measure.Measure(maps)).ToDictionary(pair => pair.First, pair => pair.Second);
        return (measure.Figures, results);
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
}
