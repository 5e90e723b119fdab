using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Modules;

/// <summary>CARAFE against the reference, its parameters and their initial values.</summary>
[TestFixture]
public sealed class CarafeUpsamplerTests
{
    private static readonly CarafeOptions Options = new() { Channels = 4, CompressedChannels = 2, Window = 3 };

    private static readonly Dictionary<(CarafeOptions Options, Type Type), CarafeCase> Known = [];

    private static IEnumerable<CarafeOptions> Variants =>
    [
        Options,
        Options with { Groups = 2, Scale = 3, CompressedChannels = 1 },
        Options with { Window = 5, EncoderKernel = 1 },
        Options with { EncoderKernel = 5, EncoderDilation = 2, Groups = 4, Scale = 1 },
        Options with { EncoderDilation = 2, Window = 1, Scale = 3 },
    ];

    [Test]
    [DeviceGrid]
    public void Forward_and_backward_match_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [ValueSource(nameof(Variants))] CarafeOptions options)
    {
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
        [Values(1, 2)] int groups)
    {
        var opened = TestDevices.Open(device);
        var options = Options with { Groups = groups };
        foreach (var format in Enum.GetValues<MemoryFormat>())
        {
            Case<Half>(options).Check<Half>(opened, format, $"{device} {format} {options}");
            Case<BFloat16>(options).Check<BFloat16>(opened, format, $"{device} {format} {options}");
        }
    }

    [Test]
    public void Parameters_have_the_names_and_shapes_of_a_state_dict()
    {
        using var module = new CarafeUpsampler<Half>(
            TestDevices.Open("cpu"), Options with { Groups = 2, Scale = 3, EncoderKernel = 5 });
        Assert.That(
            module.Parameters.Select(p => $"{p.Name} [{string.Join(", ", p.Shape)}] {p.Value.ElementType.ShortName()}"),
            Is.EqualTo(new[]
            {
                "channel_compressor.weight [2, 4, 1, 1] f32", "channel_compressor.bias [2] f32",
                "content_encoder.weight [162, 2, 5, 5] f32", "content_encoder.bias [162] f32",
            }));
    }

    [Test]
    public void Initial_values_are_those_of_the_reference_implementation()
    {
        using var module = new CarafeUpsampler<float>(TestDevices.Open("cpu"), new CarafeOptions { Channels = 128 });
        Assert.That(module["channel_compressor.bias"].Read(), Is.All.EqualTo(0));
        Assert.That(module["content_encoder.bias"].Read(), Is.All.EqualTo(0));
        Assert.That(Deviation("channel_compressor.weight"), Is.EqualTo(Math.Sqrt(2.0 / (128 + 64))).Within(0.005));
        Assert.That(Deviation("content_encoder.weight"), Is.EqualTo(0.001).Within(0.00005));

        double Deviation(string name) => Math.Sqrt(module[name].Read().Average(w => w * w));
    }

    [Test]
    public void Options_that_do_not_fit_are_refused()
    {
        var opened = TestDevices.Open("cpu");
        void Make(CarafeOptions options) => new CarafeUpsampler<float>(opened, options).Dispose();
        foreach (var options in new[]
                 {
                     Options with { Channels = 0 },
                     Options with { CompressedChannels = 0 },
                     Options with { Groups = 0 },
                     Options with { EncoderDilation = 0 },
                     Options with { Scale = 0 },
                     Options with { Scale = 17 },
                 })
        {
            Assert.That(() => Make(options), Throws.InstanceOf<ArgumentOutOfRangeException>(), options.ToString());
        }
        foreach (var options in new[]
                 {
                     Options with { Groups =
                         3 }, Options with { EncoderKernel = 2 }, Options with { EncoderKernel = -1 },
                 })
        {
            Assert.That(() => Make(options), Throws.ArgumentException, options.ToString());
        }
        foreach (int window in new[] { 0, 4, 17 })
            Assert.That(() => Make(Options with { Window = window }), Throws.TypeOf<NotSupportedException>());
    }

    [Test]
    public void Features_that_do_not_fit_are_refused()
    {
        var opened = TestDevices.Open("cpu");
        using var module = new CarafeUpsampler<float>(opened, Options);
        using var features = ReferenceMap.Random(new Random(1), new MapShape(1, 4, 2, 3))
            .ToTensor<float>(opened, MemoryFormat.Contiguous);
        using var other = ReferenceMap.Random(new Random(1), new MapShape(1, 5, 2, 3))
            .ToTensor<float>(opened, MemoryFormat.Contiguous);
        Assert.That(() => module.Forward(other), Throws.ArgumentException.With.Message.Contains("[1, 5, 2, 3]"));
        Assert.That(() => module.Forward(null!), Throws.ArgumentNullException);
        using var output = module.Forward(features, out var context);
        Assert.That(() => module.Backward(context, features), Throws.ArgumentException);
        using var stranger = new CarafeUpsampler<float>(opened, Options);
        Assert.That(() => stranger.Backward(context, output), Throws.ArgumentException);
        context.Dispose();
        Assert.That(() => module.Backward(context, output), Throws.TypeOf<ObjectDisposedException>());
    }

    private static CarafeCase Case<T>(CarafeOptions options)
        where T : unmanaged
    {
        lock (Known)
        {
            if (!Known.TryGetValue((options, typeof(T)), out var known))
            {
                known = CarafeCase.Of<T>(options);
                Known.Add((options, typeof(T)), known);
            }
            return known;
        }
    }
}
