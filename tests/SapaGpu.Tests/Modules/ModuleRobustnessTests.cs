using NUnit.Framework;

namespace SapaGpu.Tests.Modules;

/// <summary>
/// Gradients of modules that are the same in every run, outputs in maps of the caller, and memory that modules give back.
/// </summary>
[TestFixture]
public sealed class ModuleRobustnessTests
{
    [Test]
    public void The_number_of_threads_does_not_matter(
        [ValueSource(typeof(LargerCases), nameof(LargerCases.Names))] string name)
    {
        var operands = LargerCases.Make(name);
        using var one = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = 1 });
        var expected = Run(operands, one);
        foreach (int threads in new[] { 2, 5 })
        {
            using var many = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = threads });
            Same(Run(operands, many), expected, $"{name} {threads} threads");
        }
    }

    [Test]
    public void Repeated_runs_give_the_same_bits(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device,
        [ValueSource(typeof(LargerCases), nameof(LargerCases.Names))] string name)
    {
        var operands = LargerCases.Make(name);
        var opened = TestDevices.Open(device);
        var expected = Run(operands, opened);
        for (int run = 0; run < 3; run++)
            Same(Run(operands, opened), expected, $"{device} {name} run {run}");
    }

    [Test]
    public void All_memory_is_given_back([ValueSource(typeof(LargerCases), nameof(LargerCases.Names))] string name)
    {
        var operands = LargerCases.Make(name);
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        Run(operands, device);
        Assert.That(device.UsedBytes, Is.EqualTo(0), name);
    }

    [Test]
    public void Training_needs_no_more_memory_with_every_step(
        [ValueSource(typeof(LargerCases), nameof(LargerCases.Names))] string name)
    {
        var operands = LargerCases.Make(name);
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        using var module = operands.CreateFilled<float>(device);
        var inputs = operands.Inputs.Values.Select(i => i.ToTensor<float>(device, MemoryFormat.ChannelsLast)).ToArray();
        using var gradOutput = operands.GradOutput.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var output = FeatureMap<float>.CreateLike(gradOutput);
        long used = device.UsedBytes;
        for (int step = 0; step < 3; step++)
        {
            operands.Run(module, inputs, gradOutput).Dispose();
            Assert.That(device.UsedBytes, Is.EqualTo(used), $"{name} step {step}");
        }
        operands.Forward(module, inputs).Dispose();
        operands.Forward(module, inputs, output);
        Assert.That(device.UsedBytes, Is.EqualTo(used), $"{name} forward");
        foreach (var input in inputs)
            input.Dispose();
    }

    [Test]
    public void The_output_is_written_into_a_map_of_the_caller(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device,
        [ValueSource(typeof(LargerCases), nameof(LargerCases.Names))] string name,
        [Values] MemoryFormat format)
    {
        var operands = LargerCases.Make(name);
        var opened = TestDevices.Open(device);
        using var module = operands.CreateFilled<float>(opened);
        var inputs = operands.Inputs.Values.Select(i => i.ToTensor<float>(opened, MemoryFormat.ChannelsLast)).ToArray();
        using var expected = operands.Forward(module, inputs);
        using var output = new SurroundedTensor<float>(opened, expected.Shape, format, new Surroundings(1, 2, 3, 5));
        operands.Forward(module, inputs, output.View);
        Compare.Bitwise(output.Read(name), expected.ToArray(MemoryFormat.Contiguous), $"{device} {name} {format}");

        var (batch, channels) = (expected.Shape.Batch, expected.Shape.Channels);
        using var other = FeatureMap<float>.Create(opened, new MapShape(batch, channels, 1, 1));
        Assert.That(
            () => operands.Forward(module, inputs, other),
            Throws.ArgumentException.With.Message.Contains($"'output' must be {expected.Shape}"));
        var disposed = FeatureMap<float>.Create(opened, expected.Shape);
        disposed.Dispose();
        Assert.That(
            () => operands.Forward(module, inputs, disposed),
            Throws.InstanceOf<ObjectDisposedException>().With.Message.Contains("'output'"));
        Assert.That(() => operands.Forward(module, inputs, null!), Throws.ArgumentNullException);
        foreach (var input in inputs)
            input.Dispose();
    }

    [Test]
    public void An_output_in_the_memory_of_the_features_is_refused()
    {
        var device = TestDevices.Open("cpu");
        var options = new SapaOptions { EncoderChannels = 4, DecoderChannels = 4, EmbeddingChannels = 3 };
        using var sapa = new SapaUpsampler<float>(device, options);
        using var deformable = new SapaDeformableUpsampler<float>(
            device, new SapaDeformableOptions { EncoderChannels = 4, DecoderChannels = 4, Scale = 1 });
        using var carafe = new CarafeUpsampler<float>(device, new CarafeOptions { Channels = 4, Scale = 1 });
        using var encoder = FeatureMap<float>.Create(device, new MapShape(1, 4, 6, 6));
        using var decoder = FeatureMap<float>.Create(device, new MapShape(1, 4, 6, 6));
        foreach (Action call in (Action[])
            [
                () => sapa.Forward(encoder, decoder, encoder), () => sapa.Forward(encoder, decoder, decoder),
                () => deformable.Forward(encoder, decoder, encoder), () => deformable.Forward(encoder, decoder, decoder),
                () => carafe.Forward(decoder, decoder),
            ])
        {
            Assert.That(call, Throws.ArgumentException.With.Message.Contains("'output' is written, but shares memory"));
        }
    }

    private static float[][] Run(ModuleCase operands, ComputeDevice device)
    {
        using var module = operands.CreateFilled<float>(device);
        var inputs = operands.Inputs.Values.Select(i => i.ToTensor<float>(device, MemoryFormat.ChannelsLast)).ToArray();
        using var gradOutput = operands.GradOutput.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var results = operands.Run(module, inputs, gradOutput);
        foreach (var input in inputs)
            input.Dispose();
        return
        [
            results.Output.ToArray(), .. results.Inputs.Select(gradient => gradient.ToArray()),
            .. results.Parameters.Select(gradient => ((FeatureMap<float>)gradient.Value).ToArray()),
        ];
    }

    private static void Same(float[][] actual, float[][] expected, string what)
    {
        for (int i = 0; i < expected.Length; i++)
            Compare.Bitwise(actual[i], expected[i], $"{what}, result {i}");
    }
}
