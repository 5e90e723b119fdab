using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Gradient checks by central differences in double precision: the kernels' backward against the kernels' own forward,
/// for every operator and the module, with respect to every input and parameter, on every device.
/// </summary>
[TestFixture]
public sealed class GradientCheckTests
{
    private const double Step = 1e-5;
    private const double Tolerance = 1e-8;

    private static readonly WindowProblem Problem = new(1, 2, 2, 3, 2, 3, 2);

    [Test]
    [DeviceGrid]
    public void Window_attention(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device,
        [Values] MemoryFormat format,
        [Values] BorderRule border)
    {
        var opened = TestDevices.Open(device);
        var problem = border == BorderRule.Shifted ? Problem with { Height = 3, Width = 3, Scale = 1 } : Problem;
        var operands = new AttentionCase(problem, border, seed: 3);
        using var query = operands.Query.ToTensor<double>(opened, format);
        using var key = operands.Key.ToTensor<double>(opened, format);
        using var value = operands.Value.ToTensor<double>(opened, format);
        using var gradOutput = operands.GradOutput.ToTensor<double>(opened, format);
        FeatureMap<double> Forward() => WindowAttention.Forward(query, key, value, operands.Options);
        using var output = WindowAttention.Forward(query, key, value, operands.Options, out var context);
        using (context)
        {
            using var gradients = WindowAttention.Backward(context, gradOutput);
            Check(Forward, query, gradients.Query!, gradOutput, $"{device} query");
            Check(Forward, key, gradients.Key!, gradOutput, $"{device} key");
            Check(Forward, value, gradients.Value!, gradOutput, $"{device} value");
        }
    }

    [Test]
    [DeviceGrid]
    public void Window_similarity(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var operands = new AttentionCase(Problem, BorderRule.ZeroLogit, seed: 4);
        using var query = operands.Query.ToTensor<double>(opened, format);
        using var key = operands.Key.ToTensor<double>(opened, format);
        using var gradScores =
            ReferenceMap.Random(new Random(5), Problem.Shape.WeightsShape).ToTensor<double>(opened, format);
        FeatureMap<double> Forward() => WindowSimilarity.Forward(query, key, new() { Window = Problem.Window });
        var (gradQuery, gradKey) = WindowSimilarity.Backward(query, key, gradScores);
        using (gradQuery)
        using (gradKey)
        {
            Check(Forward, query, gradQuery, gradScores, $"{device} query");
            Check(Forward, key, gradKey, gradScores, $"{device} key");
        }
    }

    [Test]
    [DeviceGrid]
    public void Window_reassembly(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var operands = new AttentionCase(Problem, BorderRule.ZeroLogit, seed: 6);
        using var weights =
            ReferenceMap.Random(new Random(7), Problem.Shape.WeightsShape).ToTensor<double>(opened, format);
        using var value = operands.Value.ToTensor<double>(opened, format);
        using var gradOutput = operands.GradOutput.ToTensor<double>(opened, format);
        FeatureMap<double> Forward() => WindowReassembly.Forward(weights, value);
        var (gradWeights, gradValue) = WindowReassembly.Backward(weights, value, gradOutput);
        using (gradWeights)
        using (gradValue)
        {
            Check(Forward, weights, gradWeights, gradOutput, $"{device} weights");
            Check(Forward, value, gradValue, gradOutput, $"{device} value");
        }
    }

    [Test]
    [DeviceGrid]
    public void Sapa_b_module(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device,
        [Values] MemoryFormat format,
        [Values] bool hasBias)
    {
        var opened = TestDevices.Open(device);
        var random = new Random(8);
        using var module = new SapaUpsampler<double>(opened, new SapaOptions
        {
            EncoderChannels = 3,
            DecoderChannels = 4,
            EmbeddingChannels = 3,
            Window = 3,
            HasBias = hasBias,
        });
        foreach (var parameter in module.Parameters)
        {
            parameter.Write(ReferenceMap.Random(random, parameter.Value.Shape).ToArray());
        }
        using var encoder = ReferenceMap.Random(random, new MapShape(1, 3, 4, 4)).ToTensor<double>(opened, format);
        using var decoder = ReferenceMap.Random(random, new MapShape(1, 4, 2, 2)).ToTensor<double>(opened, format);
        using var gradOutput = ReferenceMap.Random(random, new MapShape(1, 4, 4, 4)).ToTensor<double>(opened, format);
        FeatureMap<double> Forward() => module.Forward(encoder, decoder);
        using var output = module.Forward(encoder, decoder, out var context);
        using (context)
        {
            using var gradients = module.Backward(context, gradOutput);
            Check(Forward, encoder, gradients.Encoder, gradOutput, $"{device} encoder");
            Check(Forward, decoder, gradients.Decoder, gradOutput, $"{device} decoder");
            Assert.That(
                gradients.Parameters.Select(p => p.Name), Is.EquivalentTo(module.Parameters.Select(p => p.Name)));
            foreach (var parameter in module.Parameters)
            {
                Check(
                    Forward,
                    (FeatureMap<double>)parameter.Value,
                    (FeatureMap<double>)gradients[parameter.Name].Value,
                    gradOutput,
                    $"{device} {parameter.Name}");
            }
        }
    }

    private static void Check(
        Func<FeatureMap<double>> forward, FeatureMap<double> input, FeatureMap<double> gradient, FeatureMap<double> gradOutput, string what)
    {
        var values = input.ToArray();
        var analytic = gradient.ToArray(input.Format);
        for (int i = 0; i < values.Length; i++)
        {
            double kept = values[i];
            values[i] = kept + Step;
            input.CopyFrom(values);
            double above = Loss(forward, gradOutput);
            values[i] = kept - Step;
            input.CopyFrom(values);
            double below = Loss(forward, gradOutput);
            values[i] = kept;
            double numeric = (above - below) / (2 * Step);
            Assert.That(
                analytic[i],
                Is.EqualTo(numeric).Within(Tolerance * Math.Max(1, Math.Abs(numeric))),
                $"{what}, element {i} of {input}");
        }
        input.CopyFrom(values);
    }

    private static double Loss(Func<FeatureMap<double>> forward, FeatureMap<double> gradOutput)
    {
        using var output = forward();
        return output.ToArray(MemoryFormat.Contiguous)
            .Zip(gradOutput.ToArray(MemoryFormat.Contiguous), (value, weight) => value * weight)
            .Sum();
    }
}
