using System.Diagnostics;
using ILGPU.Runtime.Cuda;
using NUnit.Framework;
using SapaGpu.Tests.Operators;
using WindowProblem = SapaGpu.Tests.Operators.WindowProblem;

namespace SapaGpu.Tests.Devices;

/// <summary>One open device whose calls go to the streams that they name.</summary>
[TestFixture]
[NonParallelizable]
public sealed class DeviceStreamTests
{
    private static readonly DeviceOptions Primary = new() { UsesPrimaryContext = true };

    private static readonly AttentionCase Operands =
        new(new WindowProblem(1, 8, 8, 5, 2, 8, 16), BorderRule.ZeroLogit);

    [Test]
    public void The_same_stream_has_the_same_view()
    {
        using var device = Open();
        using var first = CreateStream(device);
        using var second = CreateStream(device);
        var view = device.OnStream(first.Handle);
        Assert.That(view.Options.Stream, Is.EqualTo(first.Handle));
        Assert.That(view, Is.Not.SameAs(device));
        Assert.That(device.OnStream(first.Handle), Is.SameAs(view));
        Assert.That(device.OnStream(second.Handle), Is.Not.SameAs(view));
        Assert.That(view.OnStream(first.Handle), Is.SameAs(view));
        Assert.That(device.OnStream(1), Is.SameAs(device.OnStream(0)).And.Property("Options").EqualTo(device.Options));
        using var third = CreateStream(device);
        var asked = new ComputeDevice[64];
        Parallel.For(0, asked.Length, i => asked[i] = device.OnStream(third.Handle));
        Assert.That(asked.Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public void A_view_is_found_in_less_than_a_microsecond_without_an_allocation()
    {
        const int Count = 20_000;
        using var device = Open();
        using var stream = CreateStream(device);
        var view = device.OnStream(stream.Handle);
        double fastest = double.MaxValue;
        long allocated = long.MaxValue;
        for (int round = 0; round < 20; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            long begin = Stopwatch.GetTimestamp();
            for (int i = 0; i < Count; i++)
                view = device.OnStream(stream.Handle);
            fastest = Math.Min(fastest, Stopwatch.GetElapsedTime(begin).TotalNanoseconds / Count);
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        TestContext.Out.WriteLine($"{fastest:f1} ns");
        Assert.That(allocated, Is.Zero);
        Assert.That(fastest, Is.LessThan(1000));
        Assert.That(view, Is.SameAs(device.OnStream(stream.Handle)));
    }

    [Test]
    public void A_call_goes_to_the_stream_of_its_maps_and_to_no_other()
    {
        using var device = Open();
        using var framework = new CudaFramework(0);
        using var recorded = CreateStream(device);
        using var other = CreateStream(device);
        using var call = new Call(device.OnStream(recorded.Handle));
        using var elsewhere = new Call(device.OnStream(other.Handle));

        // Once before: kernels cannot be loaded while a stream records.
        call.Run();
        elsewhere.Run();
        float[] expected = call.Output.ToArray();
        call.Clear();
        elsewhere.Clear();
        using var graph = new CudaGraph(recorded.Handle, () =>
        {
            call.Run();
            elsewhere.Run();
        });
        Compare.Bitwise(elsewhere.Output.ToArray(), expected, "was not recorded");
        Assert.That(call.Output.ToArray(), Is.All.Zero);
        elsewhere.Clear();
        graph.Launch(recorded.Handle);
        Compare.Bitwise(call.Output.ToArray(), expected, "was recorded");
        Assert.That(elsewhere.Output.ToArray(), Is.All.Zero);
    }

    [Test]
    public void Threads_with_a_stream_each_have_the_results_of_one()
    {
        const int Rounds = 6;
        using var device = Open();
        using var alone = new Call(device);
        alone.Run();
        float[] expected = alone.Output.ToArray();
        var streams = Enumerable.Range(0, 2).Select(_ => CreateStream(device)).ToArray();
        var threads = Array.ConvertAll(streams, stream => Task.Factory.StartNew(
            () =>
            {
                for (int round = 0; round < Rounds; round++)
                {
                    // Maps of every round, so that memory changes hands within a stream while the other one works.
                    using var call = new Call(device.OnStream(stream.Handle));
                    call.Run();
                    Compare.Bitwise(call.Output.ToArray(), expected, $"round {round}");
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default));
        Task.WaitAll(threads);
        foreach (var stream in streams)
            stream.Dispose();
    }

    [Test]
    public void Kernels_are_compiled_once_for_all_streams()
    {
        using var device = Open();
        using var stream = CreateStream(device);
        using var call = new Call(device.OnStream(stream.Handle));
        Assert.That(device.Launcher.LoadedKernels, Is.Zero);
        call.Run();
        int loaded = device.Launcher.LoadedKernels;
        Assert.That(loaded, Is.Positive);
        using var own = new Call(device);
        own.Run();
        Assert.That(device.Launcher.LoadedKernels, Is.EqualTo(loaded));
    }

    [Test]
    public void Memory_that_a_stream_has_freed_goes_to_that_stream_only()
    {
        var shape = new MapShape(1, 1, 64, 64);
        using var device = Open();
        using var first = CreateStream(device);
        using var second = CreateStream(device);
        var (a, b) = (device.OnStream(first.Handle), device.OnStream(second.Handle));
        nint freed = PointerOfNewMap(a);
        Assert.That(PointerOfNewMap(b), Is.Not.EqualTo(freed));
        Assert.That(PointerOfNewMap(device), Is.Not.EqualTo(freed));
        Assert.That(PointerOfNewMap(a), Is.EqualTo(freed));
        Assert.That((a.HeldBytes, b.HeldBytes, device.HeldBytes), Is.EqualTo((16384L, 16384L, 16384L)));
        Assert.That(PointerOfNewMap(device.OnStream(0)), Is.EqualTo(PointerOfNewMap(device)), "the same stream");
        device.TrimMemory();
        Assert.That((a.HeldBytes, b.HeldBytes, device.HeldBytes), Is.EqualTo((0L, 0L, 0L)));

        nint PointerOfNewMap(ComputeDevice on)
        {
            using var map = FeatureMap<float>.Create(on, shape);
            return map.DataPointer;
        }
    }

    [Test]
    public void Modules_of_the_device_take_maps_of_a_stream()
    {
        using var device = Open();
        using var stream = CreateStream(device);
        var view = device.OnStream(stream.Handle);
        var random = new Random(3);
        var guide = ReferenceMap.Random(random, new MapShape(1, 4, 8, 8));
        var features = ReferenceMap.Random(random, new MapShape(1, 6, 4, 4));
        using var sapa = new SapaUpsampler<float>(
            device, new SapaOptions { EncoderChannels = 4, DecoderChannels = 6, Similarity = Similarity.Concatenated, EmbeddingChannels = 4 });
        using var carafe = new CarafeUpsampler<float>(
            device, new CarafeOptions { Channels = 6, CompressedChannels = 2, Window = 3 });
        Compare.Bitwise(Gradients(view), Gradients(device), "SAPA");
        Compare.Bitwise(Carafe(view), Carafe(device), "CARAFE");
        sapa["k.weight"].Write(new double[sapa["k.weight"].Value.Shape.ElementCount]);
        Compare.Bitwise(Gradients(view), Gradients(device), "with other parameters");

        float[] Gradients(ComputeDevice on)
        {
            using var y = guide.ToTensor<float>(on, MemoryFormat.ChannelsLast);
            using var x = features.ToTensor<float>(on, MemoryFormat.ChannelsLast);
            using var output = sapa.Forward(y, x, out var context);
            using var kept = context;
            using var gradients = sapa.Backward(context, output);
            Assert.That(output.Device, Is.SameAs(on));
            Assert.That(gradients.Parameters.Select(p => p.Value.Device), Is.All.SameAs(on));
            return [
                .. output.ToArray(), .. gradients.Encoder.ToArray(), .. gradients.Decoder.ToArray(),
                .. gradients.Parameters.SelectMany(parameter => parameter.Read()).Select(value => (float)value)];
        }

        float[] Carafe(ComputeDevice on)
        {
            using var x = features.ToTensor<float>(on, MemoryFormat.Contiguous);
            using var output = carafe.Forward(x);
            return output.ToArray();
        }
    }

    [Test]
    public void Parameters_are_released_with_the_module_whoever_used_them()
    {
        using var device = Open();
        using var stream = CreateStream(device);
        var view = device.OnStream(stream.Handle);
        using var features = FeatureMap<float>.Create(view, new MapShape(1, 6, 4, 4));
        features.Clear();
        long before = device.UsedBytes;
        using (var module = new CarafeUpsampler<float>(device, new CarafeOptions { Channels = 6, CompressedChannels = 2 }))
        {
            module.Forward(features).Dispose();
            Assert.That(device.UsedBytes, Is.GreaterThan(before));
        }
        Assert.That(device.UsedBytes, Is.EqualTo(before));
        using var onView = new CarafeUpsampler<float>(view, new CarafeOptions { Channels = 6, CompressedChannels = 2 });
        using var own = features.On(device);
        view.Synchronize();
        using var output = onView.Forward(own);
        Assert.That(output.Device, Is.SameAs(device));
    }

    [Test]
    public void Maps_of_two_streams_need_a_word_of_the_caller()
    {
        using var device = Open();
        using var stream = CreateStream(device);
        var view = device.OnStream(stream.Handle);
        using var call = new Call(view);
        using var value = Operands.Value.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        Assert.That(
            () => WindowAttention.Forward(call.Query, call.Key, value, call.Output, Operands.Options),
            Throws.TypeOf<DeviceMismatchException>().With.Message.Contains($"stream 0x{stream.Handle:x}")
                .And.Message.Contains("On(device)").And.Message.Contains("order the streams"));
        call.Run();
        float[] expected = call.Output.ToArray();
        call.Clear();

        // What was written from the host is there for all streams.
        using (var shared = value.On(view))
        {
            Assert.That(shared.DataPointer, Is.EqualTo(value.DataPointer));
            WindowAttention.Forward(call.Query, call.Key, shared, call.Output, Operands.Options);
            Compare.Bitwise(call.Output.ToArray(), expected, "shared");
            Assert.That(() => shared.CopyFrom(call.Value), Throws.Nothing);
            value.Dispose();
            Compare.Bitwise(shared.ToArray(), call.Value.ToArray(), "kept by the view");
        }
        using var own = FeatureMap<float>.Create(device.OnStream(0), Operands.Value.Shape);
        using var parent = FeatureMap<float>.Create(device, Operands.Value.Shape);
        Assert.That(() => own.CopyFrom(parent), Throws.Nothing, "one stream");
    }

    [Test]
    public void A_map_is_not_brought_to_another_device()
    {
        using var one = ComputeDevice.Open("cpu");
        using var other = ComputeDevice.Open("cpu");
        using var map = FeatureMap<float>.Create(one, new MapShape(1, 1, 2, 2));
        Assert.That(() => map.On(other), Throws.TypeOf<DeviceMismatchException>().With.Message.Contains("To(device)"));
        Assert.That(() => map.On(null!), Throws.ArgumentNullException);
        map.Dispose();
        Assert.That(() => map.On(one), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Streams_that_a_device_cannot_queue_on_are_refused()
    {
        using var device = Open();
        Assert.That(() => device.OnStream(2), Throws.ArgumentException.With.Message.Contains("each thread"));
        using var separate = TestDevices.OpenAnew("cuda");
        using var stream = CreateStream(device);
        Assert.That(
            () => separate.OnStream(stream.Handle),
            Throws.ArgumentException.With.Message.Contains("UsesPrimaryContext"));
        using var call = new Call(separate.OnStream(0));
        call.Run();
        Compare.Forward(call.Output, Operands.Forward(), "the default stream of a context of its own");
    }

    [Test]
    public void Devices_without_streams_have_the_default_one([Values("cpu", "emulator")] string id)
    {
        var device = TestDevices.Open(id);
        var view = device.OnStream(0);
        Assert.That(device.OnStream(0), Is.SameAs(view));
        Assert.That(
            () => device.OnStream(0x1000), Throws.TypeOf<NotSupportedException>().With.Message.Contains("only CUDA"));
        using var call = new Call(view);
        call.Run();
        Compare.Forward(call.Output, Operands.Forward(), id);
        using var copy = FeatureMap<float>.CreateLike(call.Output);
        using var own = FeatureMap<float>.Create(device, copy.Shape);
        own.CopyFrom(copy);
        view.Dispose();
        Assert.That(device.IsDisposed, Is.False);
        Assert.That(device.OnStream(0), Is.Not.SameAs(view));
        Assert.That(() => FeatureMap<float>.Create(view, copy.Shape), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_view_that_is_disposed_leaves_the_device_and_the_others()
    {
        using var device = Open();
        using var first = CreateStream(device);
        using var second = CreateStream(device);
        using var other = new Call(device.OnStream(second.Handle));
        var view = device.OnStream(first.Handle);
        var call = new Call(view);
        call.Run();
        Assert.That(view.HeldBytes, Is.Positive);
        view.Dispose();
        view.Dispose();
        Assert.That(view.IsDisposed);
        Assert.That(view.HeldBytes, Is.Zero);
        Assert.That(() => call.Output.ToArray(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => view.OnStream(0), Throws.TypeOf<ObjectDisposedException>());
        call.Dispose();
        other.Run();
        Compare.Forward(other.Output, Operands.Forward(), "the other stream");
        using var again = new Call(device.OnStream(first.Handle));
        again.Run();
        Compare.Forward(again.Output, Operands.Forward(), "a new view");
    }

    [Test]
    public void A_view_ends_after_its_stream_and_with_its_device()
    {
        var device = Open();
        var stream = CreateStream(device);
        var late = device.OnStream(stream.Handle);
        using (var call = new Call(late))
            call.Run();
        late.Synchronize();
        stream.Dispose();
        Assert.That(late.Dispose, Throws.Nothing);
        stream = CreateStream(device);
        var view = device.OnStream(stream.Handle);
        var kept = new Call(view);
        kept.Run();
        device.Dispose();
        Assert.That(view.IsDisposed);
        Assert.That(() => kept.Run(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => device.OnStream(0), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(kept.Dispose, Throws.Nothing);
        Assert.That(view.Dispose, Throws.Nothing);
    }

    [Test]
    public void Disposing_views_and_the_device_while_others_ask_ends_in_order()
    {
        var device = Open();
        var streams = Enumerable.Range(0, 3).Select(_ => CreateStream(device)).ToArray();
        var threads = Array.ConvertAll(streams, stream => Task.Factory.StartNew(
            () =>
            {
                int calls = 0;
                while (true)
                {
                    try
                    {
                        var view = device.OnStream(stream.Handle);
                        FeatureMap<float>.Create(view, new MapShape(1, 1, 8, 8)).Dispose();
                        if (++calls % 8 == 0)
                            view.Dispose();
                    }
                    catch (ObjectDisposedException)
                    {
                        return calls;
                    }
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default));
        Thread.Sleep(100);
        device.Dispose();
        Assert.That(Task.WhenAll(threads).GetAwaiter().GetResult(), Is.All.Positive);
        GC.KeepAlive(streams);
    }

    private static ComputeDevice Open() => TestDevices.OpenAnew("cuda", Primary);

    private static Stream CreateStream(ComputeDevice device) => new(device);

    /// <summary>A stream of the primary context, which orders itself with no other.</summary>
    private sealed class Stream : IDisposable
    {
        private readonly ComputeDevice device;
        private readonly CudaStream stream;

        public Stream(ComputeDevice device)
        {
            this.device = device;
            using var use = device.Use();
            stream = ((CudaAccelerator)device.Accelerator).CreateStream(StreamFlags.CU_STREAM_NON_BLOCKING);
        }

        public nint Handle => stream.StreamPtr;

        public void Dispose()
        {
            // The accelerator has disposed it otherwise.
            if (device.IsDisposed)
                return;
            using var use = device.Use();
            stream.Dispose();
        }
    }

    /// <summary>A call with its maps on one stream.</summary>
    private sealed class Call(ComputeDevice device) : IDisposable
    {
        public FeatureMap<float> Query { get; } = Operands.Query.ToTensor<float>(device, MemoryFormat.ChannelsLast);

        public FeatureMap<float> Key { get; } = Operands.Key.ToTensor<float>(device, MemoryFormat.ChannelsLast);

        public FeatureMap<float> Value { get; } = Operands.Value.ToTensor<float>(device, MemoryFormat.ChannelsLast);

        public FeatureMap<float> Output { get; } =
            FeatureMap<float>.Create(device, Operands.Problem.Shape.OutputShape, MemoryFormat.ChannelsLast);

        public void Run() => WindowAttention.Forward(Query, Key, Value, Output, Operands.Options);

        public void Clear()
        {
            Output.Clear();
            device.Synchronize();
        }

        public void Dispose()
        {
            foreach (var map in new[] { Query, Key, Value, Output })
                map.Dispose();
        }
    }
}
