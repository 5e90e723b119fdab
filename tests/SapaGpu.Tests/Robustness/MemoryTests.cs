using System.Runtime.InteropServices;
using NUnit.Framework;
using SapaGpu.Tests.Grids;
using SapaGpu.Tests.Operators;

namespace SapaGpu.Tests.Robustness;

/// <summary>Memory that does not grow, calls that allocate nothing, memory of others that is used as it is.</summary>
[TestFixture]
[NonParallelizable]
public sealed class MemoryTests
{
    private static readonly AttentionCase Operands =
        new(new WindowProblem(1, 8, 8, 5, 2, 8, 16), BorderRule.ZeroLogit);

    [Test]
    [DeviceGrid]
    public void Many_calls_hold_no_more_memory_than_a_few(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var opened = TestDevices.Open(device);
        Run(opened, 20);
        long held = opened.HeldBytes;
        long used = opened.UsedBytes;
        Run(opened, device.StartsWith("cpu", StringComparison.Ordinal) ? 3000 : 300);
        Assert.That(opened.HeldBytes, Is.EqualTo(held));
        Assert.That(opened.UsedBytes, Is.EqualTo(used));
    }

    [Test]
    public void The_process_does_not_grow()
    {
        var device = TestDevices.Open("cpu");
        Run(device, 200);
        GC.Collect();
        long before = Environment.WorkingSet;
        Run(device, 3000);
        GC.Collect();
        Assert.That(Environment.WorkingSet - before, Is.LessThan(32L << 20));
    }

    [Test]
    public void Calls_into_tensors_of_the_caller_allocate_nothing_managed()
    {
        var device = TestDevices.Open("cpu");
        using var query = Operands.Query.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var key = Operands.Key.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var value = Operands.Value.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var gradOutput = Operands.GradOutput.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var output = FeatureMap<float>.Create(device, gradOutput.Shape, MemoryFormat.ChannelsLast);
        using var gradQuery = FeatureMap<float>.Create(device, query.Shape, MemoryFormat.ChannelsLast);
        using var gradKey = FeatureMap<float>.Create(device, key.Shape, MemoryFormat.ChannelsLast);
        using var gradValue = FeatureMap<float>.Create(device, value.Shape, MemoryFormat.ChannelsLast);
        using var context = new WindowAttentionContext<float>(device, Operands.Problem.Shape);
        for (int i = 0; i < 50; i++)
            Once();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            Once();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Once()
        {
            WindowAttention.Forward(query, key, value, output, null, context);
            WindowAttention.Backward(context, gradOutput, gradQuery, gradKey, gradValue);
        }
    }

    [Test]
    public void A_tensor_that_nobody_disposed_gives_its_memory_back()
    {
        using var device = ComputeDevice.Open("cpu");
        Forget(device);
        for (int i = 0; i < 20 && device.UsedBytes > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.That(device.UsedBytes, Is.Zero);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget(ComputeDevice device) => FeatureMap<float>.Create(device, new MapShape(1, 8, 64, 64));
    }

    [Test]
    public unsafe void Host_memory_of_others_is_read_and_written_in_place()
    {
        var device = TestDevices.Open("cpu");
        var shape = new MapShape(1, 16, 16, 16);
        var memory = (float*)NativeMemory.AlignedAlloc((nuint)shape.ElementCount * sizeof(float), 64);
        try
        {
            using var query = Operands.Query.ToTensor<float>(device, MemoryFormat.ChannelsLast);
            using var key = Operands.Key.ToTensor<float>(device, MemoryFormat.ChannelsLast);
            using var value = Operands.Value.ToTensor<float>(device, MemoryFormat.ChannelsLast);
            long used = device.UsedBytes;
            using (var output = FeatureMap<float>.Wrap(device, (nint)memory, shape, MemoryFormat.ChannelsLast))
            {
                WindowAttention.Forward(query, key, value, output);
                Assert.That(device.UsedBytes, Is.EqualTo(used), "nothing was copied");
                Compare.Forward(output, Operands.Forward(), "a wrapped output");
            }
            var first = Operands.Forward()[0, 0, 0, 0].Value;
            Assert.That(memory[0], Is.EqualTo(first).Within(1e-5), "the memory is still its owner's");
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    [Test]
    public unsafe void Output_written_past_the_caches_is_the_same_as_output_written_through_them()
    {
        // Large outputs are streamed where they are aligned, and this memory is not.
        var device = TestDevices.Open("cpu");
        var shape = new WindowShape(1, 100, 100, 3, 2, 8, 80);
        var random = new Random(1);
        using var query = ReferenceMap.Random(random, shape.QueryShape).ToTensor<float>(
            device, MemoryFormat.ChannelsLast);
        using var key = ReferenceMap.Random(random, shape.KeyShape).ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var value = ReferenceMap.Random(random, shape.ValueShape).ToTensor<float>(
            device, MemoryFormat.ChannelsLast);
        var options = new WindowAttentionOptions { Window = 3 };
        using var streamed = WindowAttention.Forward(query, key, value, options);
        var memory = (byte*)NativeMemory.AlignedAlloc(((nuint)shape.OutputShape.ElementCount + 1) * sizeof(float), 64);
        try
        {
            using var unaligned = FeatureMap<float>.Wrap(
                device, (nint)memory + sizeof(float), shape.OutputShape, MemoryFormat.ChannelsLast);
            WindowAttention.Forward(query, key, value, unaligned, options);
            Compare.Bitwise(streamed.ToArray(), unaligned.ToArray(), "streamed against stored");
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    [Test]
    [DeviceGrid]
    public void Device_memory_of_others_is_used_in_place(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var opened = TestDevices.Open(device);
        using var owner = Operands.Value.ToTensor<float>(opened, MemoryFormat.ChannelsLast);
        using var query = Operands.Query.ToTensor<float>(opened, MemoryFormat.ChannelsLast);
        using var key = Operands.Key.ToTensor<float>(opened, MemoryFormat.ChannelsLast);
        using var wrapped = FeatureMap<float>.Wrap(
            opened, owner.Memory.NativePointer, owner.Shape, MemoryFormat.ChannelsLast);
        using var output = WindowAttention.Forward(query, key, wrapped);
        Compare.Forward(output, Operands.Forward(), device);
        Compare.Bitwise(wrapped.ToArray(), owner.ToArray(), device);
    }

    [Test]
    public void A_device_that_is_disposed_gives_everything_back()
    {
        Cycle();
        GC.Collect();
        long before = Environment.WorkingSet;
        for (int i = 0; i < 20; i++)
            Cycle();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.That(Environment.WorkingSet - before, Is.LessThan(200L << 20), "twenty devices with 64 MiB each");

        static void Cycle()
        {
            using var device = ComputeDevice.Open("cpu");
            var tensor = FeatureMap<float>.Create(device, new MapShape(1, 16, 1024, 1024));
            tensor.Clear();
            Run(device, 1);
        }
    }

    private static void Run(ComputeDevice device, int times)
    {
        using var query = Operands.Query.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var key = Operands.Key.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var value = Operands.Value.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        for (int i = 0; i < times; i++)
        {
            using var output = WindowAttention.Forward(query, key, value, Operands.Options, out var context);
            using (context)
            {
                using var gradients = WindowAttention.Backward(context, output);
            }
        }
        device.Synchronize();
    }
}
