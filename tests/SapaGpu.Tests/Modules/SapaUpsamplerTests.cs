using NUnit.Framework;

namespace SapaGpu.Tests.Modules;

/// <summary>The SAPA-B module against the reference, its parameters and their initial values.</summary>
[TestFixture]
public sealed class SapaUpsamplerTests
{
    private static readonly SapaOptions Options = new()
    {
        EncoderChannels = 5,
        DecoderChannels = 6,
        EmbeddingChannels = 7,
        Window = 3,
    };

    [Test]
    public void Forward_and_backward_match_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device,
        [Values] MemoryFormat format,
        [Values] BorderRule border)
    {
        var opened = TestDevices.Open(device);
        Run<float>(opened, Options with { Border = border }, format);
        Run<double>(opened, Options with { Border = border }, format);
    }

    [Test]
    public void Wide_and_unaligned_channels_match_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var random = new Random(4);
        var options = new SapaOptions { EncoderChannels = 36, DecoderChannels = 70, EmbeddingChannels = 67, HasBias = false };
        using var module = new SapaUpsampler<float>(opened, options);
        var parameters = Randomise(module, random);
        var encoder = ReferenceMap.Random(random, new TensorShape(1, 36, 6, 70));
        var decoder = ReferenceMap.Random(random, new TensorShape(1, 70, 3, 35));
        using var y = encoder.ToTensor<float>(opened, format);
        using var x = decoder.ToTensor<float>(opened, format);
        using var output = module.Forward(y, x);
        Compare.Forward(
            output,
            Reference.SapaB(encoder, decoder, parameters, options.Window, options.Border, options.Epsilon),
            $"{device} {format}");
    }

    [Test]
    public void Parameters_have_the_names_and_shapes_of_a_state_dict()
    {
        var opened = TestDevices.Open("cpu");
        using var module = new SapaUpsampler<float>(opened, Options);
        Assert.That(
            module.Parameters.Select(p => $"{p.Name} [{string.Join(", ", p.Shape)}]"),
            Is.EqualTo(new[]
            {
                "norm_y.weight [5]", "norm_y.bias [5]", "q.weight [7, 5]", "q.bias [7]",
                "norm_x.weight [6]", "norm_x.bias [6]", "k.weight [7, 6]", "k.bias [7]",
            }));
        using var withoutBias = new SapaUpsampler<float>(opened, Options with { HasBias = false });
        Assert.That(withoutBias.Parameters.Select(p => p.Name), Has.None.EqualTo("q.bias").And.None.EqualTo("k.bias"));
        Assert.That(() => module["q.wait"], Throws.TypeOf<KeyNotFoundException>().With.Message.Contains("q.weight"));
    }

    [Test]
    public void Initial_values_are_those_of_the_authors()
    {
        var opened = TestDevices.Open("cpu");
        var options = new SapaOptions { EncoderChannels = 256, DecoderChannels = 256 };
        using var module = new SapaUpsampler<float>(opened, options, seed: 1);
        Assert.That(module["norm_y.weight"].Read(), Is.All.EqualTo(1));
        Assert.That(module["norm_x.bias"].Read(), Is.All.EqualTo(0));
        Assert.That(module["q.bias"].Read(), Is.All.EqualTo(0));
        var weight = module["q.weight"].Read();
        Assert.That(weight.Average(), Is.EqualTo(0).Within(0.001));
        Assert.That(Math.Sqrt(weight.Average(w => w * w)), Is.EqualTo(0.02).Within(0.0005));
        using var same = new SapaUpsampler<float>(opened, options, seed: 1);
        using var other = new SapaUpsampler<float>(opened, options, seed: 2);
        Assert.That(same["q.weight"].Read(), Is.EqualTo(weight));
        Assert.That(other["q.weight"].Read(), Is.Not.EqualTo(weight));
    }

    private static Dictionary<string, ReferenceMap> Randomise<T>(SapaUpsampler<T> module, Random random)
        where T : unmanaged
    {
        var parameters = new Dictionary<string, ReferenceMap>();
        foreach (var parameter in module.Parameters)
        {
            var map = ReferenceMap.Random(random, parameter.Value.Shape, magnitude: 0.5);
            parameter.Write(map.ToArray());
            parameters.Add(parameter.Name, map);
        }
        return parameters;
    }

    private static void Run<T>(Device device, SapaOptions options, MemoryFormat format)
        where T : unmanaged
    {
        var random = new Random(2);
        using var module = new SapaUpsampler<T>(device, options);
        var parameters = Randomise(module, random);
        var encoder = ReferenceMap.Random(random, new TensorShape(2, options.EncoderChannels, 4, 6));
        var decoder = ReferenceMap.Random(random, new TensorShape(2, options.DecoderChannels, 2, 3));
        var gradOutput = ReferenceMap.Random(random, new TensorShape(2, options.DecoderChannels, 4, 6));
        ReferenceMap Forward() =>
            Reference.SapaB(encoder, decoder, parameters, options.Window, options.Border, options.Epsilon);

        string what = $"{device} {typeof(T).Name} {format} {options.Border}";
        using var y = encoder.ToTensor<T>(device, format);
        using var x = decoder.ToTensor<T>(device, format);
        using var grad = gradOutput.ToTensor<T>(device, format);
        using var output = module.Forward(y, x, out var context);
        Compare.Forward(output, Forward(), what);
        using (context)
        {
            using var gradients = module.Backward(context, grad);
            Compare.Backward(gradients.Encoder, Reference.Gradient(Forward, encoder, gradOutput), $"encoder, {what}");
            Compare.Backward(gradients.Decoder, Reference.Gradient(Forward, decoder, gradOutput), $"decoder, {what}");
            foreach (var (name, map) in parameters)
            {
                Compare.Backward<T>(
                    gradients[name], Reference.Gradient(Forward, map, gradOutput), $"{name}, {what}");
            }
        }
    }
}
