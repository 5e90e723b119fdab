using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Guided;

[TestFixture]
internal sealed class GuidedUpsamplingTests
{
    private const float Mark = -1;

    private static readonly KernelSettings Settings = new(5, 0.1, 0.6);

    private static readonly (int Height, int Width, int MapHeight, int MapWidth, int Window)[] Sizes =
    [
        (24, 32, 6, 8, 5), (47, 61, 6, 9, 5), (50, 33, 7, 33, 3), (31, 45, 31, 45, 7), (40, 16, 3, 1, 15),
    ];

    private static ComputeDevice Processor => TestDevices.Open("cpu");

    [Test]
    [DeviceGrid]
    public void Result_is_the_joint_bilateral_filter(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [ValueSource(nameof(Sizes))] (int Height, int Width, int MapHeight, int MapWidth, int Window) size)
    {
        var (height, width, mapHeight, mapWidth, window) = size;
        var photo = DemoScene.Draw(height, width).Photo;
        var small = Chance(mapHeight, mapWidth, 2);
        var settings = Settings with { Window = window };
        var expected = JointBilateralReference.Upsample(small, photo, settings);
        var actual = Upsampling.Run(
            small, photo, UpsampleMethod.Sapa, MapKind.Image, settings, null, TestDevices.Open(device));
        Assert.That(actual.Values, Is.EqualTo(expected).Within(2e-5));
    }

    [TestCase(MapKind.Image)]
    [TestCase(MapKind.Labels)]
    public void Result_does_not_depend_on_where_the_map_is_cut(MapKind kind)
    {
        var scene = DemoScene.Draw(131, 173);
        var small = kind == MapKind.Labels ? SmallMaps.OfLabels(scene.Labels, 27, 35) : Chance(27, 35, 3);
        var whole = Run(small, scene.Photo, kind, Settings, null);
        var cut = Run(small, scene.Photo, kind, Settings, null, side: 5);
        Assert.That(cut.Values, Is.EqualTo(whole.Values).Within(1e-4f));
    }

    [Test]
    public void Positions_keep_their_digits_on_a_large_map()
    {
        // A map so wide that squared positions counted from its corner would lose the digits that tell cells apart.
        const int Columns = 3000;
        var photo = new Photo(2, 2 * Columns);
        Array.Fill(photo.Samples, (byte)128);
        var small = Chance(1, Columns, 1);
        var expected = JointBilateralReference.Upsample(small, photo, Settings);
        var actual = Run(small, photo, MapKind.Image, Settings, null);
        Assert.That(actual.Values, Is.EqualTo(expected).Within(1e-3));
    }

    [TestCase(UpsampleMethod.Nearest)]
    [TestCase(UpsampleMethod.Bilinear)]
    [TestCase(UpsampleMethod.Sapa)]
    public void Unknown_values_neither_spread_nor_are_they_filled_in(UpsampleMethod method)
    {
        var photo = DemoScene.Draw(60, 80).Photo;
        var small = Constant(12, 16, 7);
        for (int row = 4; row < 8; row++)
        {
            for (int column = 5; column < 11; column++)
                small.PixelAt(row, column)[0] = Mark;
        }
        var result = Upsampling.Run(small, photo, method, MapKind.Depth, Settings, Mark, Processor);
        Assert.That(result.Values.Where(value => value != Mark), Is.All.EqualTo(7).Within(1e-4));
        Assert.That(result.PixelAt(30, 40)[0], Is.EqualTo(Mark));
        int missing = result.Values.Count(value => value == Mark);
        Assert.That(missing, Is.EqualTo(24 * 25).Within(35).Percent);
    }

    [TestCase(UpsampleMethod.Bilinear)]
    [TestCase(UpsampleMethod.Sapa)]
    public void NaN_marks_unknown_values_too(UpsampleMethod method)
    {
        var photo = DemoScene.Draw(30, 40).Photo;
        var small = Constant(6, 8, 3);
        small.PixelAt(2, 2)[0] = float.NaN;
        var result = Upsampling.Run(small, photo, method, MapKind.Depth, Settings, float.NaN, Processor);
        Assert.That(result.Values.Where(value => !float.IsNaN(value)), Is.All.EqualTo(3).Within(1e-4));
        Assert.That(result.Values.Count(float.IsNaN), Is.InRange(1, 60));
    }

    [TestCase(UpsampleMethod.Bilinear)]
    [TestCase(UpsampleMethod.Sapa)]
    public void The_unknown_class_wins_only_where_it_has_most_of_the_weight(UpsampleMethod method)
    {
        var photo = new Photo(16, 48);
        Array.Fill(photo.Samples, (byte)90);

        // Three classes meet the unknown one: it has the largest weight near the border, but not the larger half.
        var small = new Raster(2, 6, 1, [1, 2, 9, 9, 9, 9, 3, 1, 9, 9, 9, 9]);
        var result = Upsampling.Run(small, photo, method, MapKind.Labels, Settings, 9, Processor);
        Assert.That(result.PixelAt(8, 15)[0], Is.Not.EqualTo(9));
        Assert.That(result.PixelAt(8, 17)[0], Is.EqualTo(9));
        Assert.That(result.PixelAt(8, 47)[0], Is.EqualTo(9));
    }

    [Test]
    public void Labels_of_many_classes_fit_a_small_budget()
    {
        var photo = DemoScene.Draw(96, 128).Photo;
        var small = new Raster(24, 32, 1, [.. Enumerable.Range(0, 24 * 32).Select(i => (float)i)]);
        var grid = new CellGrid(new CellAxis(24, 96), new CellAxis(32, 128));
        var features = new LiftedFeatures(grid, photo, Settings);
        var interpolator = new SapaInterpolator(Processor, grid, features, Settings.Window);
        var result = new Raster(96, 128, 1);
        new MapUpsampler(grid, interpolator) { MemoryBudget = 1 << 16 }.Run(
            new LabelCodec(new ClassMap(small), null), result);
        var whole = Run(small, photo, MapKind.Labels, Settings, null);
        Assert.That(result.Values, Is.EqualTo(whole.Values));
    }

    [Test]
    public void Guided_labels_are_nearer_to_the_drawn_truth_than_bilinear_ones()
    {
        var scene = DemoScene.Draw(240, 320);
        var small = SmallMaps.OfLabels(scene.Labels, 30, 40);
        var defaults = KernelDefaults.For(MapKind.Labels);
        double bilinear = ShareWrong(scene, Upsampling.Run(
            small, scene.Photo, UpsampleMethod.Bilinear, MapKind.Labels, defaults, null, Processor));
        double sapa = ShareWrong(scene, Run(small, scene.Photo, MapKind.Labels, defaults, null));
        Assert.That(sapa, Is.LessThan(0.7 * bilinear));
    }

    private static double ShareWrong(DemoScene scene, Raster result) =>
        scene.Labels.Values.Zip(result.Values).Average(pair => pair.First == pair.Second ? 0.0 : 1.0);

    private static Raster Constant(int height, int width, float value)
    {
        var raster = new Raster(height, width, 1);
        Array.Fill(raster.Values, value);
        return raster;
    }

    private static Raster Chance(int height, int width, int channels)
    {
        var random = new Random(height * 1000 + width);
        var raster = new Raster(height, width, channels);
        for (int i = 0; i < raster.Values.Length; i++)
            raster.Values[i] = random.NextSingle();
        return raster;
    }

    private static Raster Run(
        Raster small,
        Photo photo,
        MapKind kind,
        KernelSettings settings,
        float? unknown,
        int side = MapUpsampler.DefaultSide) =>
        Upsampling.Run(small, photo, UpsampleMethod.Sapa, kind, settings, unknown, Processor, side);
}
