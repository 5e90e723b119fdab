using NUnit.Framework;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Guided;

/// <summary>What is done beyond the mean over a window: classes that follow the photo, quantities that follow their slope.</summary>
[TestFixture]
internal sealed class RefinementTests
{
    private static readonly MapKind[] Kinds = [MapKind.Mask, MapKind.Labels, MapKind.Depth, MapKind.Image, MapKind.Features];

    [TestCaseSource(nameof(Kinds))]
    public void Constant_maps_stay_exactly_constant(MapKind kind)
    {
        var photo = Noise(61, 83, 1);
        var small = new Raster(7, 9, 1);
        small.Values.AsSpan().Fill(0.1f);
        Assert.That(Upsample(photo, small, kind), Is.All.EqualTo(0.1f).Within(kind == MapKind.Features ? 1e-7f : 0));
    }

    [Test]
    public void The_tool_can_be_told_to_leave_it_out()
    {
        using var runs = new UpsampleRuns();
        double[] map = UpsampleRuns.Ramp();
        runs.WriteArray("map.npy", "<f4", [UpsampleRuns.MapHeight, UpsampleRuns.MapWidth], map);
        UpsampleRuns.AssertSucceeds(runs.Upsample("map.npy", "plain.npy", "--kind", "depth", "--no-refine"));
        UpsampleRuns.AssertSucceeds(runs.Upsample("map.npy", "refined.npy", "--kind", "depth"));
        float[] plain = new float[UpsampleRuns.Height * UpsampleRuns.Width];
        GuidedUpsampler.Upsample(
            new PhotoSpan(runs.Photo.Samples, UpsampleRuns.Height, UpsampleRuns.Width),
            new MapSpan<float>(Array.ConvertAll(map, value => (float)value), UpsampleRuns.MapHeight, UpsampleRuns.MapWidth),
            plain.AsSpan(),
            new GuidedOptions { Kind = MapKind.Depth, Refine = false });
        Assert.That(NpyFile.Read(runs["plain.npy"]).Values, Is.EqualTo(plain).Within(1e-5));
        Assert.That(NpyFile.Read(runs["refined.npy"]).Values, Is.Not.EqualTo(plain).Within(1e-2));
    }

    [TestCase(MapKind.Mask)]
    [TestCase(MapKind.Labels)]
    [TestCase(MapKind.Depth)]
    public void Result_does_not_depend_on_where_the_map_is_cut(MapKind kind)
    {
        const float Mark = -1;
        var scene = DemoScene.Draw(197, 263);
        var small = SmallMaps.OfLabels(scene.Labels, 37, 49);
        if (kind == MapKind.Mask)
            small = Raised(small, value => value > small.Values.Average() ? 1 : 0);
        else if (kind == MapKind.Depth)
            small = Raised(small, value => value == small.Values.Max() ? Mark : value);
        var whole = Run(small, scene.Photo, kind, Mark, side: 64);
        var cut = Run(small, scene.Photo, kind, Mark, side: 3);
        Assert.That(cut.Values, Is.EqualTo(whole.Values).Within(kind == MapKind.Labels ? 0 : 1e-3f));
    }

    [TestCase(MapKind.Mask)]
    [TestCase(MapKind.Labels)]
    public void Edges_of_classes_are_those_of_the_photo(MapKind kind)
    {
        // A disc in a noisy photo.
        const int Side = 160, Ratio = 8;
        var photo = Noise(Side, Side, 2);
        var truth = new Raster(Side, Side, 1);
        for (int y = 0; y < Side; y++)
        {
            for (int x = 0; x < Side; x++)
            {
                if (Math.Pow(y - 71.3, 2) + Math.Pow(x - 84.9, 2) > 47 * 47)
                    continue;
                truth.PixelAt(y, x)[0] = 1;
                photo.PixelAt(y, x)[0] += 90;
                photo.PixelAt(y, x)[2] += 60;
            }
        }
        var small = SmallMaps.OfMask(truth, Side / Ratio, Side / Ratio);
        Assert.That(Differing(Upsample(photo, small, kind), truth), Is.LessThan(40));
        Assert.That(Differing(Upsample(photo, small, kind, UpsampleMethod.Bilinear), truth), Is.GreaterThan(300));
    }

    [TestCase(MapKind.Mask)]
    [TestCase(MapKind.Labels)]
    public void Thin_structures_stay(MapKind kind)
    {
        // A line of four pixels through cells of eight, which the mask holds where it covers half of a cell.
        const int Side = 128, Ratio = 8;
        var photo = Noise(Side, Side, 3);
        var truth = new Raster(Side, Side, 1);
        for (int y = 0; y < Side; y++)
        {
            for (int x = 64; x < 68; x++)
            {
                truth.PixelAt(y, x)[0] = 1;
                photo.PixelAt(y, x).Fill(200);
            }
        }
        var small = SmallMaps.OfMask(truth, Side / Ratio, Side / Ratio);
        Assert.That(small.Values.Sum(), Is.EqualTo(Side / Ratio));
        Assert.That(Differing(Upsample(photo, small, kind), truth), Is.LessThan(Side / 4));
    }

    [Test]
    public void Cells_keep_their_class_in_the_result()
    {
        // A photo that says nothing: what filters take away, back-projection brings back.
        const int Cells = 20, Ratio = 6;
        var photo = new Photo(Cells * Ratio, Cells * Ratio);
        Array.Fill(photo.Samples, (byte)90);
        var small = new Raster(Cells, Cells, 1);
        for (int i = 4; i < Cells - 4; i++)
        {
            small.PixelAt(i, 10)[0] = 1;
            small.PixelAt(10, i)[0] = 1;
        }
        float[] result = Upsample(photo, small, MapKind.Mask);
        int wrong = 0;
        for (int cell = 0; cell < Cells * Cells; cell++)
        {
            double mean = 0;
            for (int i = 0; i < Ratio * Ratio; i++)
            {
                int y = cell / Cells * Ratio + i / Ratio, x = cell % Cells * Ratio + i % Ratio;
                mean += result[y * Cells * Ratio + x] / (Ratio * Ratio);
            }
            wrong += mean > 0.5 != small.Values[cell] > 0.5 ? 1 : 0;
        }
        Assert.That(wrong, Is.LessThanOrEqualTo(4), "the ends of the cross");
    }

    [Test]
    public void Slopes_continue_and_do_not_run_across_edges()
    {
        // Two slopes with a step between them, where the photo changes its colour.
        const int Side = 96, Ratio = 8, Cells = Side / Ratio, Edge = 44;
        var photo = new Photo(Side, Side);
        photo.Fill(new Region(0, Edge, Side, Side - Edge), [200, 120, 40]);
        var truth = new Raster(Side, Side, 1);
        for (int i = 0; i < truth.Values.Length; i++)
            truth.Values[i] = i % Side < Edge ? 10 + 0.1f * (i % Side) : 40 - 0.05f * (i / Side);
        var small = SmallMaps.OfImage(truth, Cells, Cells);
        float[] refined = Upsample(photo, small, MapKind.Depth);
        double error = refined.Zip(truth.Values, (a, b) => Math.Abs(a - b)).Average();
        float[] plain = Upsample(photo, small, MapKind.Depth, refine: false);
        double plainError = plain.Zip(truth.Values, (a, b) => Math.Abs(a - b)).Average();
        Assert.That(error, Is.LessThan(0.15));
        Assert.That(error, Is.LessThan(plainError / 2));
    }

    [TestCase(MapKind.Mask)]
    [TestCase(MapKind.Depth)]
    [TestCase(MapKind.Image)]
    public void Results_stay_in_the_range_of_the_map(MapKind kind)
    {
        var random = new Random(4);
        var small = new Raster(9, 11, 2);
        for (int i = 0; i < small.Values.Length; i++)
            small.Values[i] = random.NextSingle() * 6 - 3;
        Assert.That(
            Upsample(Noise(80, 101, 5), small, kind), Is.All.InRange(small.Values.Min(), small.Values.Max()));
    }

    [Test]
    public void Planes_have_no_part_in_each_other()
    {
        var random = new Random(6);
        var both = new Raster(8, 9, 2);
        var first = new Raster(8, 9, 1);
        for (int i = 0; i < first.Values.Length; i++)
        {
            first.Values[i] = both.Values[2 * i] = random.NextSingle();
            both.Values[2 * i + 1] = random.NextSingle();
        }
        var photo = Noise(64, 72, 7);
        float[] alone = Upsample(photo, first, MapKind.Depth);
        Assert.That(
            Upsample(photo, both, MapKind.Depth).Where((_, i) => i % 2 == 0), Is.EqualTo(alone).Within(1e-6f));
    }

    [Test]
    public void Missing_values_do_not_spread()
    {
        const float Mark = 9;
        var photo = Noise(90, 90, 8);
        var labels = new Raster(15, 15, 1);
        for (int i = 0; i < labels.Values.Length; i++)
            labels.Values[i] = i % 15 < 7 ? 1 : 2;
        labels.PixelAt(3, 3)[0] = labels.PixelAt(8, 7)[0] = Mark;
        float[] result = Upsample(photo, labels, MapKind.Labels, unknown: Mark);
        for (int i = 0; i < result.Length; i++)
        {
            var (row, column) = (i / 90 / 6, i % 90 / 6);
            if (result[i] == Mark)
                Assert.That(Math.Abs(row - 3) + Math.Abs(column - 3) <= 1 || Math.Abs(row - 8) + Math.Abs(column - 7) <= 1);
        }
        Assert.That(result.Count(value => value == Mark), Is.LessThanOrEqualTo(2 * 36));

        labels.PixelAt(4, 3)[0] = float.NaN;
        float[] depth = Upsample(photo, labels, MapKind.Depth, unknown: Mark);
        Assert.That(depth.Where(value => value != Mark), Is.All.InRange(1f, 2f));
        Assert.That(depth.Count(value => value == Mark), Is.InRange(36, 4 * 36));
    }

    [Test]
    public void Without_refinement_the_result_is_the_kernel()
    {
        var settings = new KernelSettings(5, 0.1, 0.6);
        var photo = Noise(48, 56, 9);
        var random = new Random(10);
        var small = new Raster(6, 7, 1);
        for (int i = 0; i < small.Values.Length; i++)
            small.Values[i] = random.Next(2);
        var options = new GuidedOptions
        {
            Kind = MapKind.Mask,
            Window = settings.Window,
            ColourSigma = settings.ColourSigma,
            SpaceSigma = settings.SpaceSigma,
            Refine = false,
        };
        var actual = new float[48 * 56];
        GuidedUpsampler.Upsample(
            new PhotoSpan(photo.Samples, 48, 56), new MapSpan<float>(small.Values, 6, 7), actual.AsSpan(), options);
        Assert.That(actual, Is.EqualTo(JointBilateralReference.Upsample(small, photo, settings)).Within(2e-5));
    }

    private static Raster Run(Raster small, Photo photo, MapKind kind, float mark, int side)
    {
        var settings = KernelDefaults.For(kind);
        var grid = new CellGrid(new CellAxis(small.Height, photo.Height), new CellAxis(small.Width, photo.Width));
        var codec = MapCodecs.Of(kind, hasOpacity: false, [mark], refines: true)(small, isFirst: true, isLast: true);
        var refiner = codec is IClassCodec ? new ClassRefiner(grid, photo) : null;
        var interpolator = new SapaInterpolator(
            TestDevices.Open("cpu"), grid, new LiftedFeatures(grid, photo, settings), settings.Window);
        var result = new Raster(photo.Height, photo.Width, small.Channels);
        new MapUpsampler(grid, interpolator, refiner) { Side = side }.Run(codec, result);
        return result;
    }

    private static float[] Upsample(
        Photo photo,
        Raster small,
        MapKind kind,
        UpsampleMethod method = UpsampleMethod.Sapa,
        bool refine = true,
        float? unknown = null)
    {
        var result = new float[photo.Height * photo.Width * small.Channels];
        GuidedUpsampler.Upsample(
            new PhotoSpan(photo.Samples, photo.Height, photo.Width),
            new MapSpan<float>(small.Values, small.Height, small.Width, small.Channels),
            result.AsSpan(),
            new GuidedOptions { Kind = kind, Method = method, Refine = refine, Unknown = unknown is { } mark ? [mark] : [] });
        return result;
    }

    private static int Differing(float[] result, Raster truth) =>
        result.Zip(truth.Values).Count(pair => pair.First > 0.5f != pair.Second > 0.5f);

    private static Raster Raised(Raster map, Func<float, float> change) =>
        new(map.Height, map.Width, map.Channels, Array.ConvertAll(map.Values, value => change(value)));

    /// <summary>A dark photo with noise.</summary>
    private static Photo Noise(int height, int width, int seed)
    {
        var random = new Random(seed);
        var photo = new Photo(height, width);
        for (int i = 0; i < photo.Samples.Length; i++)
            photo.Samples[i] = (byte)random.Next(70, 90);
        return photo;
    }
}
