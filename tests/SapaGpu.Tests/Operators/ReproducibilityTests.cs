using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>Results that are the same to the last bit in every run, on any number of threads, in any company.</summary>
[TestFixture]
public sealed class ReproducibilityTests
{
    private static readonly WindowProblem Problem = new(2, 21, 37, 5, 2, 20, 70);

    [Test]
    [DeviceGrid]
    public void Repeated_runs_give_the_same_bits(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var opened = TestDevices.Open(device);
        var expected = Run(opened, MemoryFormat.ChannelsLast);
        for (int run = 0; run < 10; run++)
            Same(Run(opened, MemoryFormat.ChannelsLast), expected, $"{device} run {run}");
    }

    [Test]
    public void The_number_of_threads_does_not_matter([Values] MemoryFormat format)
    {
        using var one = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = 1 });
        var expected = Run(one, format);
        foreach (int threads in new[] { 2, 3, 5, 8 })
        {
            using var many = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = threads });
            Same(Run(many, format), expected, $"{threads} threads");
        }
    }

    [Test]
    public void Module_gradients_do_not_depend_on_the_number_of_threads(
        [Values] MemoryFormat format, [Values(Similarity.Bilinear, Similarity.GatedBilinear)] Similarity similarity)
    {
        using var one = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = 1 });
        var expected = RunModule(one, format, similarity);
        foreach (int threads in new[] { 2, 3, 5 })
        {
            using var many = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = threads });
            Same(RunModule(many, format, similarity), expected, $"{threads} threads");
        }
    }

    [Test]
    [DeviceGrid]
    public void An_image_gives_the_same_bits_alone_and_in_a_batch(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var opened = TestDevices.Open(device);
        var operands = new AttentionCase(Problem, BorderRule.ZeroLogit);
        using var query = operands.Query.ToTensor<float>(opened, MemoryFormat.Contiguous);
        using var key = operands.Key.ToTensor<float>(opened, MemoryFormat.Contiguous);
        using var value = operands.Value.ToTensor<float>(opened, MemoryFormat.Contiguous);
        using var batch = WindowAttention.Forward(query, key, value);
        using var lastOfBatch = batch.Images(1, 1);
        using var queryImage = query.Images(1, 1);
        using var keyImage = key.Images(1, 1);
        using var valueImage = value.Images(1, 1);
        using var alone = WindowAttention.Forward(queryImage, keyImage, valueImage);
        Compare.Bitwise(alone.ToArray(), lastOfBatch.ToArray(), device);
    }

    private static float[][] Run(ComputeDevice device, MemoryFormat format)
    {
        var operands = new AttentionCase(Problem, BorderRule.Masked);
        using var query = operands.Query.ToTensor<float>(device, format);
        using var key = operands.Key.ToTensor<float>(device, format);
        using var value = operands.Value.ToTensor<float>(device, format);
        using var gradOutput = operands.GradOutput.ToTensor<float>(device, format);
        using var output = WindowAttention.Forward(query, key, value, operands.Options, out var context);
        using (context)
        {
            using var gradients = WindowAttention.Backward(context, gradOutput);
            return
            [
                output.ToArray(), gradients.Query!.ToArray(), gradients.Key!.ToArray(), gradients.Value!.ToArray(),
            ];
        }
    }

    private static float[][] RunModule(ComputeDevice device, MemoryFormat format, Similarity similarity)
    {
        var random = new Random(1);
        using var module = new SapaUpsampler<float>(
            device,
            new SapaOptions
            {
                Similarity = similarity,
                EncoderChannels = 24,
                DecoderChannels = 40,
                EmbeddingChannels = 16,
            },
            seed: 3);
        using var encoder = ReferenceMap.Random(random, new MapShape(2, 24, 62, 66))
            .ToTensor<float>(device, format);
        using var decoder = ReferenceMap.Random(random, new MapShape(2, 40, 31, 33))
            .ToTensor<float>(device, format);
        using var gradOutput = ReferenceMap.Random(random, new MapShape(2, 40, 62, 66))
            .ToTensor<float>(device, format);
        using var output = module.Forward(encoder, decoder, out var context);
        using (context)
        {
            using var gradients = module.Backward(context, gradOutput);
            return
            [
                output.ToArray(), gradients.Encoder.ToArray(), gradients.Decoder.ToArray(),
                .. gradients.Parameters.Select(p => ((FeatureMap<float>)p.Value).ToArray()),
            ];
        }
    }

    private static void Same(float[][] actual, float[][] expected, string what)
    {
        for (int i = 0; i < expected.Length; i++)
            Compare.Bitwise(actual[i], expected[i], $"{what}, result {i}");
    }
}
