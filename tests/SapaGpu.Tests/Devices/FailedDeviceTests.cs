using System.Text.Json;
using ILGPU.Runtime.Cuda;
using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Tests.Vectors;

namespace SapaGpu.Tests.Devices;

/// <summary>
/// A device on which a kernel failed: the failure is told where somebody waits, and everything else ends in order. Only
/// on a simulated driver, since a GPU takes all contexts of the process with it.
/// </summary>
public sealed class FailedDeviceTests
{
    [Test]
    public void Device_is_disposed_without_a_word_after_a_kernel_failed([Values] bool usesPrimaryContext)
    {
        var device = SimulatedCuda.Open(new DeviceOptions { UsesPrimaryContext = usesPrimaryContext });
        var output = FeatureMap<float>.Create(device, new MapShape(1, 1, 8, 8));
        Assert.That(
            () => ReadFromNowhere(device, output), Throws.Exception.With.Message.Contains("illegal memory access"));

        // The device is out of order, not out of memory.
        Assert.That(
            () => FeatureMap<float>.Create(device, new MapShape(1, 1, 1000, 1000)),
            Throws.Exception.With.Message.Contains("illegal memory access"));
        Assert.That(output.Dispose, Throws.Nothing);
        Assert.That(device.Dispose, Throws.Nothing);
    }

    [Test]
    public void Report_of_the_tool_is_printed_when_every_kernel_fails()
    {
        SimulatedCuda.Require();
        var (code, output, errors) = ChildProcess.RunDotnet(
            [new("CUDASIM_MAX_INSTRUCTIONS", "50")],
            typeof(ExitCode).Assembly.Location,
            "verify",
            Path.Combine(AppContext.BaseDirectory, "vectors"),
            "--device",
            "cuda",
            "--json");
        Assert.That(code, Is.EqualTo(ExitCode.Failure), errors);
        using var report = JsonDocument.Parse(output);
        Assert.That(report.RootElement.GetProperty("failed").GetInt32(), Is.EqualTo(VectorWriter.Cases.Count));
    }

    [Test]
    public void Views_on_streams_end_without_a_word_after_a_kernel_failed()
    {
        var device = SimulatedCuda.Open(new DeviceOptions { UsesPrimaryContext = true });
        CudaStream stream;
        using (device.Use())
            stream = ((CudaAccelerator)device.Accelerator).CreateStream(StreamFlags.CU_STREAM_NON_BLOCKING);
        var view = device.OnStream(stream.StreamPtr);
        var output = FeatureMap<float>.Create(view, new MapShape(1, 1, 8, 8));
        Assert.That(
            () => ReadFromNowhere(view, output), Throws.Exception.With.Message.Contains("illegal memory access"));
        output.Dispose();
        Assert.That(view.Dispose, Throws.Nothing);
        Assert.That(() => device.OnStream(0), Throws.Nothing);
        Assert.That(device.Dispose, Throws.Nothing);
        GC.KeepAlive(stream);
    }

    private static void ReadFromNowhere(ComputeDevice device, FeatureMap<float> output)
    {
        using var nowhere = FeatureMap<float>.Wrap(device, 4096, new MapShape(1, 1, 4, 4));
        Interpolate.Forward(nowhere, output, InterpolationMode.Nearest);
        output.ToArray();
    }
}
