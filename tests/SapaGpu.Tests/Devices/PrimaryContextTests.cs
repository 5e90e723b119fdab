using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using NUnit.Framework;
using SapaGpu.Devices;
using SapaGpu.Maps;
using SapaGpu.Tests.Operators;
using WindowProblem = SapaGpu.Tests.Operators.WindowProblem;

namespace SapaGpu.Tests.Devices;

/// <summary>CUDA in the context and on the stream of another framework, and what ILGPU has to do for that.</summary>
[TestFixture]
[NonParallelizable]
public sealed class PrimaryContextTests
{
    private static readonly DeviceOptions Primary = new() { UsesPrimaryContext = true };

    private static readonly AttentionCase Operands =
        new(new WindowProblem(1, 8, 8, 5, 2, 8, 16), BorderRule.ZeroLogit);

    private static int OutputCount => (int)Operands.Problem.Shape.OutputShape.ElementCount;

    [Test]
    public void Memory_of_a_framework_is_computed_on_in_place()
    {
        using var device = Open(Primary);
        using var framework = new CudaFramework(0);
        nint output = framework.Allocate(OutputCount);
        Run(device, framework, output);
        CheckOutput(framework.Read(output, OutputCount), "in place");
        Assert.That(CudaDriver.CurrentContext(), Is.EqualTo(framework.Context));
    }

    [Test]
    public void Memory_of_a_device_is_usable_by_the_framework()
    {
        using var device = Open(Primary);
        using var framework = new CudaFramework(0);
        using var value = Operands.Value.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        Compare.Bitwise(
            framework.Read(value.DataPointer, (int)value.Shape.ElementCount), value.ToArray(), "read by the framework");
    }

    [Test]
    public void A_call_leaves_the_context_of_its_thread_as_it_was()
    {
        using var own = Open(new DeviceOptions());
        using var shared = Open(Primary);
        using var framework = new CudaFramework(0);
        nint output = framework.Allocate(OutputCount);
        for (int round = 0; round < 3; round++)
        {
            ComputeAlone(own);
            Assert.That(
                CudaDriver.CurrentContext(), Is.EqualTo(framework.Context), "after the device of its own context");
            Run(shared, framework, output);
            Assert.That(CudaDriver.CurrentContext(), Is.EqualTo(framework.Context), "after the shared one");
            CheckOutput(framework.Read(output, OutputCount), $"round {round}");
        }
    }

    [Test]
    public void A_thread_without_a_context_has_none_afterwards()
    {
        using var device = Open(Primary);
        var thread = Task.Factory.StartNew(
            () =>
            {
                ComputeAlone(device);
                return CudaDriver.CurrentContext();
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        Assert.That(thread.GetAwaiter().GetResult(), Is.EqualTo((nint)0));
    }

    [Test]
    public void The_context_stays_when_a_device_is_disposed()
    {
        using var other = Open(Primary);
        using var framework = new CudaFramework(0);
        for (int round = 0; round < 3; round++)
        {
            using (var device = Open(Primary))
                ComputeAlone(device);
            Assert.That(CudaDriver.CurrentContext(), Is.EqualTo(framework.Context));
            nint output = framework.Allocate(OutputCount);
            Run(other, framework, output);
            CheckOutput(framework.Read(output, OutputCount), $"round {round}");
        }
    }

    [Test]
    public void Nothing_is_left_when_nobody_uses_the_context()
    {
        for (int round = 0; round < 3; round++)
        {
            using var device = Open(Primary);
            ComputeAlone(device);
        }
    }

    [Test]
    public void Calls_are_in_order_with_the_stream_of_a_framework()
    {
        using var device = Open(Primary);
        using var framework = new CudaFramework(0);
        using var stream = ((CudaAccelerator)device.Accelerator).CreateStream(StreamFlags.CU_STREAM_NON_BLOCKING);
        using var onStream = Open(Primary with { Stream = stream.StreamPtr });
        Assert.That(((CudaStream)onStream.Accelerator.DefaultStream).StreamPtr, Is.EqualTo(stream.StreamPtr));

        // The copies before and after wait for nothing but the stream.
        var shape = Operands.Value.Shape;
        int count = (int)shape.ElementCount;
        using var values = Operands.Value.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        nint late = framework.Allocate(new float[count]);
        nint output = framework.Allocate(OutputCount);
        nint copy = framework.Allocate(OutputCount);
        using var query = Operands.Query.ToTensor<float>(onStream, MemoryFormat.ChannelsLast);
        using var key = Operands.Key.ToTensor<float>(onStream, MemoryFormat.ChannelsLast);
        using var value = FeatureMap<float>.Wrap(onStream, late, shape, MemoryFormat.ChannelsLast);
        using var result = FeatureMap<float>.Wrap(
            onStream, output, Operands.Problem.Shape.OutputShape, MemoryFormat.ChannelsLast);
        device.Synchronize();
        framework.Copy(values.DataPointer, late, count, stream);
        WindowAttention.Forward(query, key, value, result, Operands.Options);
        framework.Copy(output, copy, OutputCount, stream);
        CheckOutput(framework.Read(copy, OutputCount), "in order");
    }

    [Test]
    public void A_stream_needs_the_context_that_it_is_in() => Assert.That(
        () => ComputeDevice.Open("cpu", new DeviceOptions { Stream = 0x1000 }),
        Throws.ArgumentException.With.Message.Contains("UsesPrimaryContext"));

    [Test]
    public void A_stream_for_each_thread_is_refused() => Assert.That(
        () => ComputeDevice.Open("cpu", Primary with { Stream = 2 }),
        Throws.ArgumentException.With.Message.Contains("each thread"));

    [Test]
    public void Other_devices_ignore_what_is_meant_for_CUDA()
    {
        using var device = ComputeDevice.Open("cpu", Primary with { Stream = 0x1000 });
        Assert.That(device.Options.UsesPrimaryContext, Is.False);
        Assert.That(device.Options.Stream, Is.EqualTo((nint)0));
        ComputeAlone(device);
    }

    [Test]
    public void The_context_and_the_stream_of_an_accelerator_can_be_replaced()
    {
        using var device = ComputeDevice.OpenEmulator();
        var accelerator = device.Accelerator;
        nint context = accelerator.NativePtr;
        AcceleratorMembers.SetContext(accelerator, 5);
        Assert.That(accelerator.NativePtr, Is.EqualTo((nint)5));
        AcceleratorMembers.SetContext(accelerator, context);
        using var stream = accelerator.CreateStream();
        AcceleratorMembers.SetStream(accelerator, stream);
        Assert.That(accelerator.DefaultStream, Is.SameAs(stream));
        ComputeAlone(device);
    }

    [Test]
    public void What_is_created_when_an_accelerator_is_disposed_goes_last()
    {
        using var context = Context.Create(builder => builder.CPU(new CPUDevice(2, 1, 1)));
        var accelerator = context.CreateCPUAccelerator(0);
        List<string> disposed = [];
        using var first = new Witness(accelerator, "first", disposed);
        Witness? last = null;
        accelerator.Disposed += (_, _) => last = new Witness(accelerator, "last", disposed);
        using var second = new Witness(accelerator, "second", disposed);
        AcceleratorMembers.DisposeQuietly(accelerator);
        Assert.That(disposed, Is.EqualTo(new[] { "first", "second", "last" }));
        Assert.That(accelerator.IsDisposed);
        Assert.That(last!.IsDisposed);
    }

    private static ComputeDevice Open(DeviceOptions options) => TestDevices.OpenAnew("cuda", options);

    private static void Run(ComputeDevice device, CudaFramework framework, nint output)
    {
        using var query = Wrap(device, framework, Operands.Query);
        using var key = Wrap(device, framework, Operands.Key);
        using var value = Wrap(device, framework, Operands.Value);
        using var result = FeatureMap<float>.Wrap(
            device, output, Operands.Problem.Shape.OutputShape, MemoryFormat.ChannelsLast);
        WindowAttention.Forward(query, key, value, result, Operands.Options);
    }

    private static FeatureMap<float> Wrap(ComputeDevice device, CudaFramework framework, ReferenceMap map)
    {
        var values = Array.ConvertAll(map.ToArray(), value => (float)value);
        nint memory = framework.Allocate(
            MapLayout.Reorder(values, map.Shape, MemoryFormat.Contiguous, MemoryFormat.ChannelsLast));
        return FeatureMap<float>.Wrap(device, memory, map.Shape, MemoryFormat.ChannelsLast);
    }

    private static void ComputeAlone(ComputeDevice device)
    {
        using var query = Operands.Query.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var key = Operands.Key.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var value = Operands.Value.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var output = WindowAttention.Forward(query, key, value, Operands.Options);
        Compare.Forward(output, Operands.Forward(), device.Id);
    }

    private static void CheckOutput(float[] values, string what)
    {
        var contiguous = MapLayout.Reorder(
            values, Operands.Problem.Shape.OutputShape, MemoryFormat.ChannelsLast, MemoryFormat.Contiguous);
        Compare.Forward<float>(Array.ConvertAll(contiguous, value => (double)value), Operands.Forward(), what);
    }

    private sealed class Witness(Accelerator accelerator, string name, List<string> disposed)
        : AcceleratorObject(accelerator)
    {
        protected override void DisposeAcceleratorObject(bool disposing) => disposed.Add(name);
    }
}
