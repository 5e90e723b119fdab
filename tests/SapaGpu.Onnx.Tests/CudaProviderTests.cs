using System.Runtime.InteropServices;
using NUnit.Framework;
using SapaGpu.Onnx.Runtime;

namespace SapaGpu.Onnx.Tests;

/// <summary>Nodes that ONNX Runtime's CUDA provider runs, on the streams that it names.</summary>
[TestFixture]
internal sealed partial class CudaProviderTests
{
    private const string Library = "libcuda.so.1";
    private const uint NonBlocking = 1;

    [Test]
    public void Providers_have_the_names_of_ONNX_Runtime()
    {
        Assert.That(ExecutionProvider.Cuda.Name, Is.EqualTo("CUDAExecutionProvider"));
        Assert.That(ExecutionProvider.Cpu.Name, Is.Null);
    }

    [Test]
    public void A_node_computes_on_the_stream_of_its_session()
    {
        using var device = OpenCuda();
        using var query = TestMaps.Random<float>(1, 1, 4, 8, 8);
        using var key = TestMaps.Random<float>(2, 1, 4, 4, 4);
        using var expected = WindowAttention.Forward(query, key, key);
        using var q = query.To(device);
        using var k = key.To(device);
        using var runtime = new SubstituteRuntime();
        var kernel = new AttentionKernel<float>(runtime.Api, ExecutionProvider.Cuda, WindowAttentionOptions.Default);
        List<ComputeDevice> devices = [];
        foreach (nint stream in (nint[])[0, CreateStream(), CreateStream()])
        {
            using var output = FeatureMap<float>.CreateLike(q);
            output.Clear();
            device.Synchronize();
            runtime.Maps = [q, k, k, output];
            runtime.Stream = stream;
            var on = kernel.Provider.DeviceOf(kernel.Api, runtime.Context);
            Assert.That((on.Kind, on.Options.Stream, on.Options.UsesPrimaryContext), Is.EqualTo((DeviceKind.Cuda, stream, true)));
            Assert.That(kernel.Provider.DeviceOf(kernel.Api, runtime.Context), Is.SameAs(on));
            kernel.Run(new OperatorCall(kernel.Api, runtime.Context, on));
            on.Synchronize();
            TestMaps.AreEqual(([1, 4, 8, 8], output.ToArray()), expected, 2e-5, $"stream {stream:x}");
            devices.Add(on);
        }
        Assert.That(devices.Distinct().Count(), Is.EqualTo(3));
        Assert.That(devices.Select(on => on.OnStream(0)).Distinct().Count(), Is.EqualTo(1), "one open device");
    }

    private static ComputeDevice OpenCuda()
    {
        try
        {
            return ComputeDevice.Open("cuda", new DeviceOptions { UsesPrimaryContext = true });
        }
        catch (DeviceUnavailableException e)
        {
            Assert.Ignore(e.Message);
            throw;
        }
    }

    // In the primary context, which is current on the thread of a framework.
    private static nint CreateStream()
    {
        Assert.That(RetainPrimaryContext(out nint context, 0), Is.Zero);
        Assert.That(SetContext(context), Is.Zero);
        Assert.That(CreateStream(out nint stream, NonBlocking), Is.Zero);
        Assert.That(SetContext(0), Is.Zero);
        return stream;
    }

    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRetain")]
    private static partial int RetainPrimaryContext(out nint context, int device);

    [LibraryImport(Library, EntryPoint = "cuCtxSetCurrent")]
    private static partial int SetContext(nint context);

    [LibraryImport(Library, EntryPoint = "cuStreamCreate")]
    private static partial int CreateStream(out nint stream, uint flags);
}
