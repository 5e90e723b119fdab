using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Guided;

/// <summary>Guided upsampling as a library: memory of the caller, kinds, types, ratios, errors.</summary>
[TestFixture]
internal sealed class GuidedUpsamplerTests
{
    private static readonly KernelSettings Settings = new(5, 0.1, 0.6);

    private static readonly GuidedOptions Options = new()
    {
        Kind = MapKind.Features,
        Window = Settings.Window,
        ColourSigma = Settings.ColourSigma,
        SpaceSigma = Settings.SpaceSigma,
    };

    [Test]
    public void Features_are_the_joint_bilateral_filter()
    {
        var photo = DemoScene.Draw(47, 61).Photo;
        var small = Random(6, 9, 3);
        var result = new float[47 * 61 * 3];
        var reported = new Reports();
        GuidedUpsampler.Upsample(Of(photo), Of(small), result.AsSpan(), Options, reported);
        Assert.That(result, Is.EqualTo(JointBilateralReference.Upsample(small, photo, Settings)).Within(2e-5));
        Assert.That(reported.Values, Is.Ordered);
        Assert.That(reported.Values[^1], Is.EqualTo(1).Within(1e-9));
    }

    [Test]
    public void Every_type_gets_its_nearest_value()
    {
        var photo = DemoScene.Draw(24, 32).Photo;
        var small = new ushort[6 * 8];
        for (int i = 0; i < small.Length; i++)
            small[i] = (ushort)(1300 * i);
        var exact = new float[24 * 32];
        var rounded = new ushort[24 * 32];
        var clipped = new byte[24 * 32];
        var wide = new double[24 * 32];
        GuidedUpsampler.Upsample(Of(photo), new MapSpan<ushort>(small, 6, 8), exact.AsSpan(), Options);
        GuidedUpsampler.Upsample(Of(photo), new MapSpan<ushort>(small, 6, 8), rounded.AsSpan(), Options);
        GuidedUpsampler.Upsample(Of(photo), new MapSpan<ushort>(small, 6, 8), clipped.AsSpan(), Options);
        GuidedUpsampler.Upsample(Of(photo), new MapSpan<ushort>(small, 6, 8), wide.AsSpan(), Options);
        Assert.That(rounded, Is.EqualTo(exact.Select(value => (ushort)MathF.Round(value))));
        Assert.That(clipped, Is.EqualTo(exact.Select(value => (byte)Math.Min(255, MathF.Round(value)))));
        Assert.That(wide, Is.EqualTo(exact.Select(value => (double)value)));
    }

    [Test]
    public void Labels_and_nearest_neighbours_are_exact_beyond_single_precision()
    {
        var photo = DemoScene.Draw(24, 32).Photo;
        int[] ids = [16_777_217, 16_777_219, int.MaxValue, int.MinValue];
        var small = Enumerable.Range(0, 6 * 8).Select(i => ids[i % 8 / 2]).ToArray();
        var labels = new int[24 * 32];
        GuidedUpsampler.Upsample(
            Of(photo), new MapSpan<int>(small, 6, 8), labels.AsSpan(), new() { Kind = MapKind.Labels });
        Assert.That(labels.Distinct(), Is.EquivalentTo(ids));

        double[] heights = [.. Enumerable.Range(0, 6 * 8).Select(i => 5_400_000.125 + i)];
        var nearest = new double[24 * 32];
        GuidedUpsampler.Upsample(
            Of(photo), new MapSpan<double>(heights, 6, 8), nearest.AsSpan(), Options with { Method = UpsampleMethod.Nearest });
        for (int i = 0; i < nearest.Length; i++)
            Assert.That(nearest[i], Is.EqualTo(heights[i / 32 / 4 * 8 + i % 32 / 4]));
    }

    [Test]
    public void Labels_that_the_result_does_not_hold_are_refused()
    {
        var photo = DemoScene.Draw(8, 8).Photo;
        var result = new byte[64];
        Assert.That(
            () => GuidedUpsampler.Upsample(
                Of(photo), new MapSpan<int>([1, 300, 1, 1], 2, 2), result.AsSpan(), new() { Kind = MapKind.Labels }),
            Throws.ArgumentException.With.Message.Contains("300"));
    }

    [Test]
    public void Scores_become_probabilities_before_they_are_averaged()
    {
        var photo = DemoScene.Draw(40, 56).Photo;
        var scores = Random(5, 7, 4);
        for (int i = 0; i < scores.Values.Length; i++)
            scores.Values[i] *= 9;
        var probabilities = new Raster(5, 7, 4);
        for (int i = 0; i < 5 * 7; i++)
        {
            double sum = Enumerable.Range(0, 4).Sum(c => Math.Exp(scores.Values[4 * i + c]));
            for (int c = 0; c < 4; c++)
                probabilities.Values[4 * i + c] = (float)(Math.Exp(scores.Values[4 * i + c]) / sum);
        }
        var options = Options with { Kind = MapKind.Logits };
        var expected = new float[40 * 56 * 4];
        var actual = new float[40 * 56 * 4];
        GuidedUpsampler.Upsample(Of(photo), Of(probabilities), expected.AsSpan(), options with { AreProbabilities = true });
        GuidedUpsampler.Upsample(Of(photo), Of(scores), actual.AsSpan(), options);
        Assert.That(actual, Is.EqualTo(expected).Within(1e-5));

        var classes = new byte[40 * 56];
        GuidedUpsampler.UpsampleToClasses(Of(photo), Of(scores), classes.AsSpan(), options);
        for (int i = 0; i < classes.Length; i++)
        {
            var pixel = actual.AsSpan(4 * i, 4);
            Assert.That(pixel[classes[i]], Is.GreaterThanOrEqualTo(pixel.ToArray().Max() - 1e-6f));
        }
    }

    [TestCase(10, 10, 170, 170)]
    [TestCase(4, 3, 300, 225)]
    [TestCase(1, 1, 40, 700)]
    public void Large_ratios_take_several_steps(int height, int width, int photoHeight, int photoWidth)
    {
        var between = GuidedRun.Between(height, width, photoHeight, photoWidth);
        Assert.That(between, Is.Not.Empty);

        // Two halves of a photo, and of the map: the edge is where the photo has it.
        var photo = new Photo(photoHeight, photoWidth);
        photo.Fill(new Region(0, photoWidth / 2, photoHeight, photoWidth), [255, 255, 255]);
        var small = new Raster(height, width, 1);
        for (int i = 0; i < small.Values.Length; i++)
            small.Values[i] = i % width >= (width + 1) / 2 ? 1 : 0;
        var result = new float[photoHeight * photoWidth];
        GuidedUpsampler.Upsample(Of(photo), Of(small), result.AsSpan(), new() { Kind = MapKind.Mask });
        Assert.That(result, Is.All.InRange(-1e-5f, 1 + 1e-5f));
        if (width % 2 == 0)
        {
            for (int i = 0; i < result.Length; i++)
                Assert.That(result[i], Is.EqualTo(i % photoWidth >= photoWidth / 2 ? 1 : 0).Within(0.05), $"pixel {i}");
        }
    }

    [Test]
    public void Few_steps_are_taken()
    {
        Assert.That(GuidedRun.Between(30, 40, 480, 640), Is.Empty);
        Assert.That(GuidedRun.Between(256, 256, 4000, 6000), Has.Count.EqualTo(1));
        Assert.That(GuidedRun.Between(64, 64, 4000, 6000), Has.Count.EqualTo(1));
        Assert.That(GuidedRun.Between(5, 5, 4000, 6000), Has.Count.EqualTo(2));
    }

    [Test]
    public void Hidden_colours_do_not_bleed()
    {
        var photo = DemoScene.Draw(64, 64).Photo;
        byte[] small = new byte[8 * 8 * 4];
        for (int i = 0; i < 64; i++)
        {
            bool isSeen = i % 8 < 4;
            ReadOnlySpan<byte> pixel = isSeen ? [200, 30, 30, 255] : [0, 255, 0, 0];
            pixel.CopyTo(small.AsSpan(4 * i));
        }
        var result = new byte[64 * 64 * 4];
        GuidedUpsampler.Upsample(
            Of(photo), new MapSpan<byte>(small, 8, 8, 4), result.AsSpan(), new() { HasOpacity = true, SpaceSigma = 1.5 });
        Assert.That(result.Where((_, i) => i % 4 == 3).Distinct().Count(), Is.GreaterThan(2));
        for (int i = 0; i < result.Length; i += 4)
        {
            if (result[i + 3] > 0)
                Assert.That((result[i], result[i + 1], result[i + 2]), Is.EqualTo((200, 30, 30)));
        }
    }

    [Test]
    public void What_is_not_finite_is_missing_unasked()
    {
        var photo = DemoScene.Draw(48, 64).Photo;
        var small = new Raster(6, 8, 1);
        Array.Fill(small.Values, 3);
        small.PixelAt(2, 3)[0] = float.NaN;
        small.PixelAt(4, 4)[0] = float.PositiveInfinity;
        var result = new float[48 * 64];
        GuidedUpsampler.Upsample(Of(photo), Of(small), result.AsSpan(), new() { Kind = MapKind.Depth });
        Assert.That(result.Where(float.IsFinite), Is.All.EqualTo(3).Within(1e-4));
        Assert.That(result.Count(value => !float.IsFinite(value)), Is.InRange(1, 200));

        small.PixelAt(0, 0)[0] = -1;
        small.PixelAt(5, 7)[0] = -2;
        GuidedUpsampler.Upsample(
            Of(photo), Of(small), result.AsSpan(), new() { Kind = MapKind.Depth, Unknown = [-1, -2] });
        Assert.That(result.Where(value => value != -1), Is.All.EqualTo(3).Within(1e-4));
    }

    [Test]
    [DeviceGrid]
    public void Maps_of_features_keep_device_and_format(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var photo = DemoScene.Draw(24, 32).Photo;
        var small = Random(6, 8, 2);
        var expected = JointBilateralReference.Upsample(small, photo, Settings);
        float[] photos = [.. Twice(Array.ConvertAll(photo.Samples, sample => sample / 255f))];
        float[] maps = [.. Twice(small.Values)];
        using var guide = FeatureMap<float>.From(opened, new MapShape(2, 3, 24, 32), photos, MemoryFormat.ChannelsLast);
        using var first = FeatureMap<float>.From(opened, new MapShape(2, 2, 6, 8), maps, MemoryFormat.ChannelsLast);
        using var map = first.To(format);
        using var result = GuidedUpsampler.Upsample(guide, map, Options);
        Assert.That(result.Format, Is.EqualTo(format));
        Assert.That(result.Device, Is.SameAs(opened));
        Assert.That(result.ToArray(MemoryFormat.ChannelsLast), Is.EqualTo(Twice(expected)).Within(2e-5));
    }

    [Test]
    public void Cancellation_stops()
    {
        var photo = DemoScene.Draw(240, 320).Photo;
        var result = new float[240 * 320];
        using var source = new CancellationTokenSource();
        Assert.That(
            () => GuidedUpsampler.Upsample(
                Of(photo), Of(Random(60, 80, 1)), result.AsSpan(), Options, new Reports(_ => source.Cancel()), source.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Bad_arguments_are_named()
    {
        var photo = DemoScene.Draw(8, 8).Photo;
        var result = new float[64];
        Fails(() => GuidedUpsampler.Upsample(Of(photo), Of(Random(9, 8, 1)), result.AsSpan()), "larger than the guide");
        Fails(() => GuidedUpsampler.Upsample(Of(photo), Of(Random(4, 4, 2)), result.AsSpan()), "2 channels has 128 values");
        Fails(() => GuidedUpsampler.Upsample(Of(photo), default(MapSpan<float>), result.AsSpan()), "must not be empty");
        Fails(() => _ = new PhotoSpan(new byte[5], 1, 2), "2x1");
        Fails(() => _ = new MapSpan<float>(new float[5], 1, 2), "got 5");
        Fails(() => Run(Options with { Window = 4 }), "odd number");
        Fails(() => Run(Options with { Window = 17 }), "from 1 to 15");
        Fails(() => Run(Options with { ColourSigma = 0 }), "ColourSigma");
        Fails(() => Run(Options with { SpaceSigma = double.NaN }), "SpaceSigma");
        Fails(() => Run(Options with { Kind = (MapKind)99 }), "MapKind");
        Fails(() => Run(Options with { Method = (UpsampleMethod)99 }), "UpsampleMethod");
        Fails(() => Run(Options with { Kind = MapKind.Labels, Unknown = [1, 2] }), "at most one");
        Fails(() => Run(Options with { Kind = MapKind.Logits, Unknown = [7] }), "none of the 1 classes");
        Fails(
            () => GuidedUpsampler.UpsampleToClasses(Of(photo), Of(Random(4, 4, 300)), new byte[64].AsSpan()),
            "does not count 300");
        Fails(
            () => GuidedUpsampler.Upsample(
                Of(photo), Of(Random(4, 4, 2)), new float[128].AsSpan(), new() { Kind = MapKind.Labels }),
            "one channel");

        void Run(GuidedOptions options) =>
            GuidedUpsampler.Upsample(Of(photo), Of(Random(4, 4, 1)), result.AsSpan(), options);
    }

    private static void Fails(Action action, string message) =>
        Assert.That(() => action(), Throws.InstanceOf<ArgumentException>().With.Message.Contains(message));

    private static IEnumerable<TValue> Twice<TValue>(TValue[] values) => values.Concat(values);

    private static PhotoSpan Of(Photo photo) => new(photo.Samples, photo.Height, photo.Width);

    private static MapSpan<float> Of(Raster map) => new(map.Values, map.Height, map.Width, map.Channels);

    private static Raster Random(int height, int width, int channels)
    {
        var random = new Random(height * 1000 + width);
        var raster = new Raster(height, width, channels);
        for (int i = 0; i < raster.Values.Length; i++)
            raster.Values[i] = random.NextSingle();
        return raster;
    }

    private sealed class Reports(Action<double>? action = null) : IProgress<double>
    {
        public List<double> Values { get; } = [];

        public void Report(double value)
        {
            Values.Add(value);
            action?.Invoke(value);
        }
    }
}
