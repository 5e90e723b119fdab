using NUnit.Framework;

namespace SapaGpu.Tests.Modules;

/// <summary>Gradients of modules that are the same in every run, and memory that modules give back.</summary>
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
        long used = device.UsedBytes;
        for (int step = 0; step < 3; step++)
        {
            operands.Run(module, inputs, gradOutput).Dispose();
            Assert.That(device.UsedBytes, Is.EqualTo(used), $"{name} step {step}");
        }
        operands.Forward(module, inputs).Dispose();
        Assert.That(device.UsedBytes, Is.EqualTo(used), $"{name} forward");
        foreach (var input in inputs)
            input.Dispose();
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
