using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Modules;

/// <summary>The SAPA modules against the reference, their parameters and their initial values.</summary>
[TestFixture]
public sealed class SapaUpsamplerTests
{
    private static readonly SapaOptions Options = new()
    {
        EncoderChannels = 4,
        DecoderChannels = 6,
        EmbeddingChannels = 3,
        NormGroups = 2,
        Window = 3,
    };

    [Test]
    [DeviceGrid]
    public void Every_combination_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] Similarity similarity,
        [Values] FeatureNormKind norm)
    {
        var opened = TestDevices.Open(device);
        foreach (var options in Variants(similarity, norm))
        {
            foreach (var format in Formats(device))
            {
                SapaCase.Of<double>(options, SapaSizes.Small).Check<double>(
                    opened, format, $"{device} {format} {options}");
                SapaCase.Of<float>(options, SapaSizes.Small).Check<float>(opened, Other(format), $"{device} {options}");
            }
        }
    }

    [Test]
    public void A_ratio_that_is_no_integer_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device, [Values] Similarity similarity)
    {
        var opened = TestDevices.Open(device);
        var options = Fitting(similarity) with { ValueChannels = 3 };
        var operands = SapaCase.Of<double>(options, SapaSizes.Odd);
        operands.Check<double>(opened, MemoryFormat.Contiguous, $"{device} {options}");
        operands.Check<float>(opened, MemoryFormat.ChannelsLast, $"{device} {options}");
    }

    [Test]
    public void Borders_and_kernel_normalisations_match_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device,
        [Values(BorderRule.ZeroLogit, BorderRule.Masked)] BorderRule border,
        [Values] ScoreNormalisation normalisation)
    {
        var options = Options with { Border = border, Normalisation = normalisation, Window = 5 };
        SapaCase.Of<double>(options, SapaSizes.Small)
            .Check<double>(TestDevices.Open(device), MemoryFormat.Contiguous, $"{device} {options}");
    }

    [Test]
    public void Types_of_16_bits_come_near_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device,
        [Values] Similarity similarity,
        [Values] FeatureNormKind norm)
    {
        var opened = TestDevices.Open(device);
        var options = Fitting(similarity) with { FeatureNorm = norm };
        foreach (int? valueChannels in new int?[] { null, 5 })
        {
            var own = options with { ValueChannels = valueChannels };
            foreach (var format in Formats(device))
            {
                SapaCase.Of<Half>(own, SapaSizes.Small).Check<Half>(opened, format, $"{device} {format} {own}");
                SapaCase.Of<BFloat16>(own, SapaSizes.Small).Check<BFloat16>(opened, Other(format), $"{device} {own}");
            }
        }
    }

    [Test]
    [DeviceGrid]
    public void Formats_of_encoder_and_decoder_may_differ(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] Similarity similarity)
    {
        var opened = TestDevices.Open(device);
        var operands = SapaCase.Of<float>(Fitting(similarity), SapaSizes.Small);
        using var module = operands.CreateFilled<float>(opened);
        using var encoder = operands.Inputs["y"].ToTensor<float>(opened, MemoryFormat.Contiguous);
        using var decoder = operands.Inputs["x"].ToTensor<float>(opened, MemoryFormat.ChannelsLast);
        using var gradOutput = operands.GradOutput.ToTensor<float>(opened, MemoryFormat.Contiguous);
        using var results = operands.Run(module, [encoder, decoder], gradOutput);
        Near.Forward(results.Output, operands.Output, device);
        Near.Backward(results.Inputs[0], operands.Gradients["y"], $"encoder, {device}");
        Near.Backward(results.Inputs[1], operands.Gradients["x"], $"decoder, {device}");
        Assert.That(
            new[] { results.Output.Format, results.Inputs[0].Format, results.Inputs[1].Format },
            Is.EqualTo(new[] { MemoryFormat.ChannelsLast, MemoryFormat.Contiguous, MemoryFormat.ChannelsLast }));
    }

    [Test]
    [DeviceGrid]
    public void Wide_and_unaligned_channels_match_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var options =
            new SapaOptions { EncoderChannels = 36, DecoderChannels = 70, EmbeddingChannels = 67, HasBias = false };
        var operands = SapaCase.Of<float>(options, new SapaSizes(1, 3, 35, 6, 70));
        using var module = operands.CreateFilled<float>(opened);
        using var encoder = operands.Inputs["y"].ToTensor<float>(opened, format);
        using var decoder = operands.Inputs["x"].ToTensor<float>(opened, format);
        using var output = operands.Forward(module, [encoder, decoder]);
        Near.Forward(output, operands.Output, $"{device} {format}");
    }

    [TestCase(
        Similarity.InnerProduct,
        "norm_y.weight [6] norm_y.bias [6] norm_x.weight [6] norm_x.bias [6] v.weight [5, 6] v.bias [5]")]
    [TestCase(
        Similarity.Bilinear,
        "norm_y.weight [4] norm_y.bias [4] norm_x.weight [6] norm_x.bias [6] q.weight [3, 4] q.bias [3] " +
        "k.weight [3, 6] k.bias [3] v.weight [5, 6] v.bias [5]")]
    [TestCase(
        Similarity.GatedBilinear,
        "norm_y.weight [4] norm_y.bias [4] norm_x.weight [6] norm_x.bias [6] qy.weight [3, 4] qy.bias [3] " +
        "qx.weight [3, 6] qx.bias [3] k.weight [3, 6] k.bias [3] v.weight [5, 6] v.bias [5] gate.weight [1, 6] gate.bias [1]")]
    [TestCase(
        Similarity.Concatenated,
        "norm_y.weight [4] norm_y.bias [4] norm_x.weight [6] norm_x.bias [6] q.weight [3, 10] q.bias [3] " +
        "k.weight [3, 6] k.bias [3] v.weight [5, 6] v.bias [5]")]
    public void Parameters_have_the_names_and_shapes_of_a_state_dict(Similarity similarity, string expected)
    {
        var opened = TestDevices.Open("cpu");
        var options = Fitting(similarity) with { ValueChannels = 5 };
        using var module = new SapaUpsampler<float>(opened, options);
        Assert.That(Describe(module), Is.EqualTo(expected));
        using var convolutions = new SapaUpsampler<Half>(opened, options with { FeatureNorm = FeatureNormKind.Group });
        Assert.That(
            Describe(convolutions), Is.EqualTo(
                System.Text.RegularExpressions.Regex.Replace(expected, @", (\d+)\]", ", $1, 1, 1]")));
        Assert.That(convolutions.Parameters.Select(p => p.Value.ElementType), Is.All.EqualTo(ElementType.Float32));
        using var bare = new SapaUpsampler<double>(
            opened, options with { FeatureNorm = FeatureNormKind.None, HasBias = false, ValueChannels = null });
        Assert.That(
            bare.Parameters.Select(p => p.Name),
            Is.EqualTo(module.Parameters.Select(p => p.Name)
                .Where(name => name.EndsWith(".weight", StringComparison.Ordinal) && name[0] is not ('n' or 'v'))));
        Assert.That(
            () => module["q.wait"], Throws.TypeOf<KeyNotFoundException>().With.Message.Contains("norm_y.weight"));
    }

    [Test]
    public void Initial_values_are_those_of_the_authors()
    {
        var opened = TestDevices.Open("cpu");
        var options = new SapaOptions
        {
            EncoderChannels = 256,
            DecoderChannels = 256,
            Similarity = Similarity.GatedBilinear,
            ValueChannels = 64,
        };
        using var module = new SapaUpsampler<float>(opened, options, seed: 1);
        foreach (var parameter in module.Parameters)
        {
            var values = parameter.Read();
            if (parameter.Name.EndsWith(".bias", StringComparison.Ordinal))
                Assert.That(values, Is.All.EqualTo(0), parameter.Name);
            else if (parameter.Name.StartsWith("norm", StringComparison.Ordinal))
                Assert.That(values, Is.All.EqualTo(1), parameter.Name);
            else
                Assert.That(Math.Sqrt(values.Average(w => w * w)), Is.EqualTo(0.02).Within(0.003), parameter.Name);
        }
        var weight = module["k.weight"].Read();
        Assert.That(weight.Average(), Is.EqualTo(0).Within(0.001));
        Assert.That(Math.Sqrt(weight.Average(w => w * w)), Is.EqualTo(0.02).Within(0.0005));
        using var same = new SapaUpsampler<float>(opened, options, seed: 1);
        using var other = new SapaUpsampler<float>(opened, options, seed: 2);
        Assert.That(same["k.weight"].Read(), Is.EqualTo(weight));
        Assert.That(other["k.weight"].Read(), Is.Not.EqualTo(weight));
    }

    [Test]
    public void Options_that_do_not_fit_are_refused()
    {
        var opened = TestDevices.Open("cpu");
        void Make(SapaOptions options) => new SapaUpsampler<float>(opened, options).Dispose();
        foreach (var options in new[]
                 {
                     Options with { EncoderChannels = 0 },
                     Options with { DecoderChannels = -1 },
                     Options with { EmbeddingChannels = 0 },
                     Options with { ValueChannels = 0 },
                     Options with { Epsilon = -1 },
                     Options with { Epsilon = double.NaN },
                     Options with { Epsilon = double.PositiveInfinity },
                 })
        {
            Assert.That(() => Make(options), Throws.InstanceOf<ArgumentOutOfRangeException>(), options.ToString());
        }
        Assert.That(
            () => Make(Options with { Similarity = Similarity.InnerProduct }),
            Throws.ArgumentException.With.Message.Contains("4").And.Message.Contains("6"));
        foreach (int groups in new[] { 0, -2, 3, 4 })
        {
            Assert.That(
                () => Make(Options with { FeatureNorm = FeatureNormKind.Group, NormGroups = groups }),
                Throws.ArgumentException.With.Message.Contains($"{groups} groups"));
        }
        foreach (int window in new[] { 0, -1, 4, 17 })
            Assert.That(() => Make(Options with { Window = window }), Throws.TypeOf<NotSupportedException>());
        Assert.That(() => new SapaUpsampler<float>(opened, null!), Throws.ArgumentNullException);
        Assert.That(() => new SapaUpsampler<float>(null!, Options), Throws.ArgumentNullException);
    }

    [Test]
    public void Features_that_do_not_fit_are_refused()
    {
        var opened = TestDevices.Open("cpu");
        using var module = new SapaUpsampler<float>(opened, Options);
        using var encoder = Map(opened, 1, 4, 4, 6);
        using var decoder = Map(opened, 1, 6, 2, 3);
        using var two = Map(opened, 2, 6, 2, 3);
        using var far = Map(opened, 1, 4, 33, 6);
        Assert.That(
            () => module.Forward(decoder, decoder), Throws.ArgumentException.With.Message.Contains("'encoder'"));
        Assert.That(
            () => module.Forward(encoder, encoder), Throws.ArgumentException.With.Message.Contains("'decoder'"));
        Assert.That(() => module.Forward(encoder, two), Throws.ArgumentException);
        Assert.That(
            () => module.Forward(far, decoder), Throws.TypeOf<NotSupportedException>().With.Message.Contains("16"));
        Assert.That(() => module.Forward(null!, decoder), Throws.ArgumentNullException);
        Assert.That(() => module.Forward(encoder, null!), Throws.ArgumentNullException);
        using var emulator = Map(TestDevices.Open("emulator"), 1, 6, 2, 3);
        Assert.That(() => module.Forward(encoder, emulator), Throws.TypeOf<DeviceMismatchException>());
        using var output = module.Forward(encoder, decoder, out var context);
        using var other = new SapaUpsampler<float>(opened, Options);
        Assert.That(() => other.Backward(context, output), Throws.ArgumentException);
        Assert.That(() => module.Backward(context, encoder), Throws.ArgumentException);
        context.Dispose();
        Assert.That(() => module.Backward(context, output), Throws.TypeOf<ObjectDisposedException>());
        module.Dispose();
        Assert.That(() => module.Forward(encoder, decoder), Throws.TypeOf<ObjectDisposedException>());
    }

    [TestCase(3, 6)]
    [TestCase(8, 5)]
    public void An_encoder_map_smaller_than_the_decoder_map_is_refused_unless_asked_for(int rows, int columns)
    {
        var device = TestDevices.Open("cpu");
        var options = Options with { EncoderChannels = 6 };
        using var encoder = FeatureMap<float>.Create(device, new MapShape(1, 6, rows, columns));
        using var decoder = FeatureMap<float>.Create(device, new MapShape(1, 6, 4, 6));
        using var module = new SapaUpsampler<float>(device, options);
        Assert.That(
            () => module.Forward(encoder, decoder),
            Throws.ArgumentException.With.Message.Contains($"{rows} x {columns} pixels, fewer than the 4 x 6")
                .And.Message.Contains("swap the arguments").And.Message.Contains("AllowsDownsampling"));
        SapaCase.Of<double>(options with { AllowsDownsampling = true }, new SapaSizes(1, 4, 6, rows, columns))
            .Check<double>(device, MemoryFormat.Contiguous, $"4x6 to {rows}x{columns}");
    }

    [Test]
    public void An_encoder_map_as_large_as_the_decoder_map_is_taken() => SapaCase.Of<double>(
        Options, new SapaSizes(1, 4, 6, 4, 6)).Check<double>(TestDevices.Open("cpu"), MemoryFormat.Contiguous, "4x6 to 4x6");

    [Test]
    public void Without_parameters_other_devices_are_still_refused()
    {
        using var module = new SapaUpsampler<float>(
            TestDevices.Open("cpu"),
            Fitting(Similarity.InnerProduct) with { FeatureNorm = FeatureNormKind.None });
        Assert.That(module.Parameters, Is.Empty);
        using var encoder = Map(TestDevices.Open("emulator"), 1, 6, 4, 6);
        using var decoder = Map(TestDevices.Open("emulator"), 1, 6, 2, 3);
        Assert.That(() => module.Forward(encoder, decoder), Throws.TypeOf<DeviceMismatchException>());
    }

    private static FeatureMap<float> Map(ComputeDevice device, int batch, int channels, int height, int width) =>
        ReferenceMap.Random(new Random(1), new MapShape(batch, channels, height, width))
            .ToTensor<float>(device, MemoryFormat.Contiguous);

    private static SapaOptions Fitting(Similarity similarity) => Options with
    {
        Similarity = similarity,
        EncoderChannels = similarity == Similarity.InnerProduct ? Options.DecoderChannels : Options.EncoderChannels,
    };

    private static IEnumerable<SapaOptions> Variants(Similarity similarity, FeatureNormKind norm) =>
        from valueChannels in new int?[] { null, 5 }
        from hasBias in new[] { true, false }
        select Fitting(similarity) with { FeatureNorm = norm, ValueChannels = valueChannels, HasBias = hasBias };

    // The emulator is slow: it runs one format in each precision.
    private static MemoryFormat[] Formats(string device) => device == "emulator"
        ? [MemoryFormat.Contiguous]
        : Enum.GetValues<MemoryFormat>();

    private static MemoryFormat Other(MemoryFormat format) =>
        format == MemoryFormat.Contiguous ? MemoryFormat.ChannelsLast : MemoryFormat.Contiguous;

    private static string Describe<T>(UpsamplerModule<T> module)
        where T : unmanaged =>
        string.Join(' ', module.Parameters.Select(p => $"{p.Name} [{string.Join(", ", p.Shape)}]"));
}
