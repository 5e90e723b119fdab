using NUnit.Framework;

namespace SapaGpu.Tests.Modules;

/// <summary>NAF and AnyUp: gradients by central differences, use of the modules, and what they refuse.</summary>
[TestFixture]
public sealed class ImageGuidedTests
{
    private const int Height = 6;
    private const int Width = 5;

    private static readonly NafOptions Naf = new()
    {
        Channels = 16,
        Heads = 2,
        RotaryHeads = 2,
        Window = 3,
        Blocks = 1,
        NormGroups = 2,
    };

    private static readonly AnyUpOptions AnyUp = new()
    {
        Channels = 8,
        Heads = 2,
        ImageKernel = 3,
        FeatureKernel = 3,
        FeatureKernels = 6,
        WindowRatio = 0.3,
        NormGroups = 2,
    };

    [Test]
    public void The_directional_derivative_is_that_of_the_gradients([Values] bool isNaf, [Values] MemoryFormat format)
    {
        var device = TestDevices.Open("cpu");
        using var module = Create<double>(isNaf, device);
        using var image = Random(device, new MapShape(2, 3, 7, 8), 1, format);
        using var features = Random(device, new MapShape(2, 4, 3, 4), 2, format);
        using var gradOutput = Random(device, new MapShape(2, 4, Height, Width), 3, format);
        module.Forward(image, features, Height, Width, out var context).Dispose();
        using (context)
        using (var gradients = module.Backward(context, gradOutput))
        {
            List<(string Name, Func<double[]> Read, Action<double[]> Write, double[] Gradient)> slots =
            [
                ("image", image.ToArray, values => image.CopyFrom(values), gradients.Image.ToArray(format)),
                ("features", features.ToArray, values => features.CopyFrom(values), gradients.Features.ToArray(format)),
            ];
            foreach (var parameter in module.Parameters)
                slots.Add((parameter.Name, parameter.Read, values => parameter.Write(values), gradients[parameter.Name].Read()));

            // The periods are a buffer, which gets no gradient.
            slots.RemoveAll(slot => slot.Name.EndsWith("periods", StringComparison.Ordinal));
            foreach (var (name, read, write, gradient) in slots)
            {
                var start = read();
                var direction = Numbers(start.Length, 4);
                double expected = (Loss(start, 1e-5) - Loss(start, -1e-5)) / 2e-5;
                write(start);
                double actual = gradient.Zip(direction, (g, d) => g * d).Sum();
                Assert.That(actual, Is.EqualTo(expected).Within(1e-6 * Math.Max(1, Math.Abs(expected))), name);

                double Loss(double[] values, double step)
                {
                    write([.. values.Zip(direction, (v, d) => v + step * d)]);
                    using var output = module.Forward(image, features, Height, Width);
                    return output.ToArray(format).Zip(gradOutput.ToArray(format), (o, g) => o * g).Sum();
                }
            }
        }
    }

    [Test]
    public void A_backward_may_be_repeated_and_an_output_of_the_caller_is_the_same([Values] bool isNaf)
    {
        var device = TestDevices.Open("cpu");
        using var module = Create<float>(isNaf, device);
        using var image = FeatureMap<float>.From(device, new MapShape(1, 3, 7, 8), Singles(168));
        using var features = FeatureMap<float>.From(device, new MapShape(1, 4, 3, 4), Singles(48));
        using var output = module.Forward(image, features, Height, Width, out var context);
        using var own = FeatureMap<float>.CreateLike(output);
        module.Forward(image, features, own);
        Assert.That(own.ToArray(), Is.EqualTo(output.ToArray()));
        using (context)
        {
            using var first = module.Backward(context, output);
            using var second = module.Backward(context, output);
            Assert.That(second.Image.ToArray(), Is.EqualTo(first.Image.ToArray()));
            foreach (var (again, before) in second.Parameters.Zip(first.Parameters))
                Assert.That(again.Read(), Is.EqualTo(before.Read()), again.Name);
        }
    }

    [Test]
    public void Parameters_go_through_a_checkpoint([Values] bool isNaf)
    {
        var device = TestDevices.Open("cpu");
        using var module = Create<float>(isNaf, device);
        using var other = Create<float>(isNaf, device, seed: 5);
        var report = other.Load(module.ToStateDict());
        Assert.That(report.Missing, Is.Empty);
        Assert.That(report.Unexpected, Is.Empty);
        Assert.That(
            other.Parameters.Select(parameter => parameter.Read()),
            Is.EqualTo(module.Parameters.Select(parameter => parameter.Read())));
    }

    [Test]
    public void What_does_not_match_is_refused([Values] bool isNaf)
    {
        var device = TestDevices.Open("cpu");
        using var module = Create<float>(isNaf, device);
        using var image = Zeros(2, 3, 7, 8);
        using var features = Zeros(2, 4, 3, 4);
        using var grey = Zeros(2, 1, 7, 8);
        using var one = Zeros(1, 3, 7, 8);
        using var line = Zeros(2, 3, 1, 8);
        Refuses("channels of 'image'", grey, features);
        Refuses("2 images|1 images", one, features);
        Refuses("mirrored", line, features);
        Assert.That(() => module.Forward(image, features, 0, Width), Throws.InstanceOf<ArgumentOutOfRangeException>());
        if (isNaf)
        {
            using var odd = Zeros(2, 5, 3, 4);
            Refuses("no multiple of the 2 heads", image, odd);
        }
        else
        {
            using var row = Zeros(2, 4, 1, 4);
            Refuses("two cells", image, row);
        }

        FeatureMap<float> Zeros(int batch, int channels, int height, int width)
        {
            var shape = new MapShape(batch, channels, height, width);
            return FeatureMap<float>.From(device, shape, new float[shape.ElementCount]);
        }

        void Refuses(string reason, FeatureMap<float> guide, FeatureMap<float> cells) => Assert.That(
            () => module.Forward(guide, cells, Height, Width), Throws.InstanceOf<ArgumentException>().With.Message.Match(reason));
    }

    [Test]
    public void Options_that_do_not_match_are_refused()
    {
        var device = TestDevices.Open("cpu");
        Assert.That(
            () => new NafUpsampler<float>(device, Naf with { RotaryHeads = 3 }),
            Throws.ArgumentException.With.Message.Contains("RotaryHeads 3"));
        Assert.That(
            () => new AnyUpUpsampler<float>(device, AnyUp with { FeatureKernel = 4 }),
            Throws.ArgumentException.With.Message.Contains("FeatureKernel 4"));
        Assert.That(
            () => new AnyUpUpsampler<float>(device, AnyUp with { FeatureKernels = 5 }),
            Throws.ArgumentException.With.Message.Contains("FeatureKernels"));
        Assert.That(
            () => new NafUpsampler<float>(device, new() { Channels = 1 << 14, Blocks = 1 }),
            Throws.ArgumentException.With.Message.Contains("parameters"));
        Assert.That(
            () => new AnyUpUpsampler<float>(device, new() { Channels = 1 << 14, FeatureKernels = 1 << 14 }),
            Throws.ArgumentException.With.Message.Contains("parameters"));
    }

    // Before memory is asked for.
    [Test]
    public void Options_beyond_any_model_are_refused([ValueSource(nameof(BeyondAnyModel))] (string Name, object Options) options)
    {
        var device = TestDevices.Open("cpu");
        Assert.That(
            () => options.Options is NafOptions naf
                ? new NafUpsampler<float>(device, naf)
                : (IDisposable)new AnyUpUpsampler<float>(device, (AnyUpOptions)options.Options),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains(options.Name).IgnoreCase);
    }

    private static IEnumerable<(string Name, object Options)> BeyondAnyModel()
    {
        foreach (int value in new[] { 0, -1, int.MinValue, int.MaxValue, 1 << 30 })
        {
            if (value != 0)
                yield return ("Blocks", Naf with { Blocks = value });
            yield return ("Channels", Naf with { Channels = value });
            yield return ("Heads", Naf with { Heads = value });
            yield return ("RotaryHeads", Naf with { RotaryHeads = value });
            yield return ("NormGroups", Naf with { NormGroups = value });
            yield return ("Channels", AnyUp with { Channels = value });
            yield return ("Heads", AnyUp with { Heads = value });
            yield return ("ImageKernel", AnyUp with { ImageKernel = value });
            yield return ("FeatureKernel", AnyUp with { FeatureKernel = value });
            yield return ("FeatureKernels", AnyUp with { FeatureKernels = value });
            yield return ("NormGroups", AnyUp with { NormGroups = value });
        }
        yield return ("Window", Naf with { Window = 0 });
        foreach (double value in new[] { double.NaN, double.PositiveInfinity, -1 })
        {
            yield return ("Epsilon", Naf with { Epsilon = value });
            yield return ("Epsilon", AnyUp with { Epsilon = value });
            yield return ("Epsilon", AnyUp with { RootMeanSquareEpsilon = value });
            yield return ("RotaryBase", Naf with { RotaryBase = value });
        }
        yield return ("RotaryBase", Naf with { RotaryBase = 0 });
        yield return ("WindowRatio", AnyUp with { WindowRatio = double.NaN });
        yield return ("WindowRatio", AnyUp with { WindowRatio = double.Epsilon });
    }

    private static ImageGuidedUpsampler<T> Create<T>(bool isNaf, ComputeDevice device, int seed = 0)
        where T : unmanaged => isNaf ? new NafUpsampler<T>(device, Naf, seed) : new AnyUpUpsampler<T>(device, AnyUp, seed);

    private static FeatureMap<double> Random(ComputeDevice device, MapShape shape, int seed, MemoryFormat format) =>
        FeatureMap<double>.From(device, shape, Numbers((int)shape.ElementCount, seed), format);

    private static float[] Singles(int count) => Array.ConvertAll(Numbers(count, count), value => (float)value);

    private static double[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextDouble() - 1)];
    }
}
