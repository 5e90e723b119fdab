using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Modules;

/// <summary>SAPA-D against the reference, its parameters and their initial values.</summary>
[TestFixture]
public sealed class SapaDeformableUpsamplerTests
{
    private static readonly SapaDeformableOptions Options = new()
    {
        EncoderChannels = 2,
        DecoderChannels = 4,
        EmbeddingChannels = 3,
        Groups = 2,
        Points = 3,
        NormGroups = 2,
    };

    private static readonly Dictionary<(SapaDeformableOptions Options, Type Type), DeformableCase> Known = [];

    [Test]
    [DeviceGrid]
    public void Every_combination_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] bool highResolution,
        [Values] bool hasNorm,
        [Values] bool hasBias)
    {
        var options = Options with { HighResolutionOffsets = highResolution, FeatureNorm = hasNorm ? FeatureNormKind.Group : FeatureNormKind.None, HasBias = hasBias };
        var opened = TestDevices.Open(device);
        foreach (var format in Enum.GetValues<MemoryFormat>())
        {
            Case<float>(options).Check<double>(opened, format, $"{device} {format} {options}");
            Case<float>(options).Check<float>(opened, format, $"{device} {format} {options}");
        }
    }

    [Test]
    public void Types_of_16_bits_come_near_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device,
        [Values] bool highResolution,
        [Values] bool hasNorm)
    {
        var options = Options with { HighResolutionOffsets = highResolution, FeatureNorm = hasNorm ? FeatureNormKind.Group : FeatureNormKind.None };
        var opened = TestDevices.Open(device);
        foreach (var format in Enum.GetValues<MemoryFormat>())
        {
            Case<Half>(options).Check<Half>(opened, format, $"{device} {format} {options}");
            Case<BFloat16>(options).Check<BFloat16>(opened, format, $"{device} {format} {options}");
        }
    }

    [Test]
    [DeviceGrid]
    public void Other_scales_and_batches_match_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values(1, 3)] int scale,
        [Values] bool highResolution)
    {
        var options = Options with { Scale = scale, HighResolutionOffsets = highResolution, Points = 1, Groups = 4 };
        DeformableCase.Of<float>(options, batch: 2, height: 1, width: 2)
            .Check<double>(TestDevices.Open(device), MemoryFormat.ChannelsLast, $"{device} {options}");
    }

    [Test]
    [DeviceGrid]
    public void The_module_starts_as_nearest_upsampling(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] bool highResolution,
        [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var random = new Random(3);
        using var module = new SapaDeformableUpsampler<float>(
            opened, Options with { HighResolutionOffsets = highResolution }, seed: 4);
        var map = ReferenceMap.Random(random, new MapShape(2, 4, 2, 3));
        using var encoder = ReferenceMap.Random(random, new MapShape(2, 2, 4, 6), magnitude: 9)
            .ToTensor<float>(opened, format);
        using var decoder = map.ToTensor<float>(opened, format);
        using var output = module.Forward(encoder, decoder);
        using var nearest = Interpolate.Forward(decoder, 4, 6, InterpolationMode.Nearest);
        Near.Forward(output, ReferenceInterpolation.Nearest(map, 4, 6), device);
        Near.Check<float>(Compare.Values(output), Compare.Values(nearest), backward: false, device);
    }

    [Test]
    public void Parameters_have_the_names_and_shapes_of_a_state_dict()
    {
        var opened = TestDevices.Open("cpu");
        using var module = new SapaDeformableUpsampler<float>(
            opened, Options with { FeatureNorm = FeatureNormKind.Group });
        Assert.That(
            module.Parameters.Select(p => $"{p.Name} [{string.Join(", ", p.Shape)}]"),
            Is.EqualTo(new[]
            {
                "norm_y.weight [2]", "norm_y.bias [2]", "norm_x.weight [4]", "norm_x.bias [4]",
                "q.weight [6, 2, 1, 1]", "q.bias [6]", "k.weight [6, 4, 1, 1]", "k.bias [6]",
                "offset.weight [48, 4, 1, 1]", "offset.bias [48]",
            }));
        using var low = new SapaDeformableUpsampler<BFloat16>(
            opened, Options with { HasBias = false, HighResolutionOffsets = false });
        Assert.That(
            low.Parameters.Select(p => $"{p.Name} [{string.Join(", ", p.Shape)}]"),
            Is.EqualTo(new[] { "q.weight [6, 2, 1, 1]", "k.weight [6, 4, 1, 1]", "offset.weight [12, 4, 1, 1]" }));
        Assert.That(low.Parameters.Select(p => p.Value.ElementType), Is.All.EqualTo(ElementType.Float32));
    }

    [Test]
    public void Initially_offsets_and_biases_are_zero_and_weights_small()
    {
        using var module = new SapaDeformableUpsampler<double>(
            TestDevices.Open("cpu"), new SapaDeformableOptions { EncoderChannels = 128, DecoderChannels = 64 });
        foreach (string name in new[] { "offset.weight", "offset.bias", "q.bias", "k.bias" })
            Assert.That(module[name].Read(), Is.All.EqualTo(0), name);
        foreach (string name in new[] { "q.weight", "k.weight" })
            Assert.That(Math.Sqrt(module[name].Read().Average(w => w * w)), Is.EqualTo(0.02).Within(0.001), name);
    }

    [Test]
    public void Defaults_are_those_of_the_authors()
    {
        using var module = new SapaDeformableUpsampler<float>(
            TestDevices.Open("cpu"), new SapaDeformableOptions { EncoderChannels = 12, DecoderChannels = 8 });
        Assert.That(
            module.Parameters.Select(p => $"{p.Name} [{string.Join(", ", p.Shape)}]"),
            Is.EqualTo(
            [
                "q.weight [128, 12, 1, 1]", "q.bias [128]", "k.weight [128, 8, 1, 1]", "k.bias [128]",
                "offset.weight [288, 8, 1, 1]", "offset.bias [288]",
            ]));
    }

    [Test]
    public void Options_that_do_not_fit_are_refused()
    {
        var opened = TestDevices.Open("cpu");
        void Make(SapaDeformableOptions options) => new SapaDeformableUpsampler<float>(opened, options).Dispose();
        foreach (var options in new[]
                 {
                     Options with { EncoderChannels = 0 },
                     Options with { DecoderChannels = 0 },
                     Options with { EmbeddingChannels = 0 },
                     Options with { Groups = 0 },
                     Options with { Points = 0 },
                     Options with { Scale = 0 },
                     Options with { Scale = 17 },
                     Options with { Epsilon = -1 },
                 })
        {
            Assert.That(() => Make(options), Throws.InstanceOf<ArgumentOutOfRangeException>(), options.ToString());
        }
        Assert.That(() => Make(Options with { Groups = 3 }), Throws.ArgumentException.With.Message.Contains("3"));
        Assert.That(
            () => Make(Options with { FeatureNorm = FeatureNormKind.Group, NormGroups = 4 }),
            Throws.ArgumentException.With.Message.Contains("4 groups"));
    }

    [Test]
    public void Features_that_do_not_fit_are_refused()
    {
        var opened = TestDevices.Open("cpu");
        using var module = new SapaDeformableUpsampler<float>(opened, Options);
        using var encoder = Map(1, 2, 4, 6);
        using var decoder = Map(1, 4, 2, 3);
        foreach (var (y, x) in new[]
                 {
                     (Map(1, 2, 4, 5), decoder), (Map(1, 2, 6, 6), decoder), (Map(2, 2, 4, 6), decoder),
                     (decoder, decoder), (encoder, encoder),
                 })
        {
            Assert.That(
                () => module.Forward(y, x),
                Throws.ArgumentException.With.Message.Contains($"encoder {y.Shape}").And.Message.Contains(
                    $"decoder {x.Shape}"));
        }
        using var output = module.Forward(encoder, decoder, out var context);
        using var other = new SapaDeformableUpsampler<float>(opened, Options);
        Assert.That(() => other.Backward(context, output), Throws.ArgumentException);
        Assert.That(() => module.Backward(context, encoder), Throws.ArgumentException);
        context.Dispose();
        Assert.That(() => module.Backward(context, output), Throws.TypeOf<ObjectDisposedException>());

        FeatureMap<float> Map(int batch, int channels, int height, int width) =>
            ReferenceMap.Random(new Random(1), new MapShape(batch, channels, height, width))
                .ToTensor<float>(opened, MemoryFormat.Contiguous);
    }

    private static DeformableCase Case<T>(SapaDeformableOptions options)
        where T : unmanaged
    {
        lock (Known)
        {
            if (!Known.TryGetValue((options, typeof(T)), out var known))
            {
                known = DeformableCase.Of<T>(options);
                Known.Add((options, typeof(T)), known);
            }
            Assert.That(known.Clearance, Is.GreaterThan(0.05), "points keep away from whole coordinates");
            return known;
        }
    }
}
