using System.Diagnostics;
using NUnit.Framework;
using SapaGpu.Devices;

namespace SapaGpu.Tests.Devices;

/// <summary>Times by the clock of a device.</summary>
[NonParallelizable]
public sealed class DeviceTimeTests
{
    private static readonly DeviceOptions Options = new() { MeasuresTime = true };

    [Test]
    public void Time_of_calls_is_positive_and_no_longer_than_the_host_waits([Values] DeviceKind kind)
    {
        using var device = Open(kind, Options);
        using var input = FeatureMap<float>.Create(device, new MapShape(1, 8, 64, 64));
        using var output = FeatureMap<float>.Create(device, new MapShape(1, 8, 128, 128));
        input.Clear();
        Interpolate.Forward(input, output, InterpolationMode.Bilinear);
        device.Synchronize();
        long begin = Stopwatch.GetTimestamp();
        var time = device.MeasureTime(() => Interpolate.Forward(input, output, InterpolationMode.Bilinear));
        Assert.That(time, Is.GreaterThan(TimeSpan.Zero).And.LessThanOrEqualTo(Stopwatch.GetElapsedTime(begin)));
    }

    [Test]
    public void More_calls_take_longer([Values] DeviceKind kind)
    {
        using var device = Open(kind, Options);
        using var input = FeatureMap<float>.Create(device, new MapShape(1, 16, 64, 64));
        using var output = FeatureMap<float>.Create(device, new MapShape(1, 16, 128, 128));
        input.Clear();
        Calls(1);
        Assert.That(Calls(50), Is.GreaterThan(Calls(1)));

        TimeSpan Calls(int count) => device.MeasureTime(() =>
        {
            for (int call = 0; call < count; call++)
                Interpolate.Forward(input, output, InterpolationMode.Bilinear);
        });
    }

    [Test]
    public void Device_that_keeps_no_times_says_how_to_get_them([Values] DeviceKind kind)
    {
        using var device = Open(kind, new DeviceOptions());
        Assert.That(
            () => device.MeasureTime(() => { }),
            Throws.InvalidOperationException.With.Message.Contains(nameof(DeviceOptions.MeasuresTime)));
    }

    [Test]
    public void Disposed_device_is_refused()
    {
        var device = ComputeDevice.Open("cpu", Options);
        device.Dispose();
        Assert.That(() => device.MeasureTime(() => { }), Throws.InstanceOf<ObjectDisposedException>());
    }

    private static ComputeDevice Open(
        DeviceKind kind, DeviceOptions options) => TestDevices.OpenAnew(DeviceNames.Of(kind), options);
}
