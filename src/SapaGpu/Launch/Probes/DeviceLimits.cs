using System.Diagnostics;
using SapaGpu.Launch;
using SapaGpu.Maps;

namespace SapaGpu;

/// <summary>Measured peak rates of a device, with which the times of operators are compared.</summary>
/// <param name="FmaGflops">
/// Single-precision multiply-adds in registers, on all cores, in 10⁹ operations per second; a multiply-add counts as
/// two.
/// </param>
/// <param name="CopyGBps">
/// Bytes read plus bytes written by a copy of a map larger than the caches, on all cores, in 10⁹ bytes per second.
/// </param>
public sealed record DeviceLimits(double FmaGflops, double CopyGBps)
{
    private const long CopyBytes = 64L << 20;

    // The second-level caches of large GPUs hold some hundred MiB.
    private const long GpuCopyBytes = 512L << 20;

    // Waiting for a GPU takes longer than some calls.
    private const int GpuCallsPerWait = 8;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(0.4);

    /// <summary>Measures a device. Takes about a second, and 128 MiB of memory or 1 GiB on a GPU.</summary>
    /// <param name="device">The device, which should be idle otherwise.</param>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory for the copy.</exception>
    /// <exception cref="ObjectDisposedException">The device has been disposed.</exception>
    public static DeviceLimits Measure(ComputeDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new DeviceLimits(MeasureFma(device), MeasureCopy(device));
    }

    private static double MeasureFma(ComputeDevice device)
    {
        using var use = device.Use();
        using var probe = new LimitProbe(device);
        return probe.Operations / FastestSeconds(device, probe.Run) * 1e-9;
    }

    private static double MeasureCopy(ComputeDevice device)
    {
        long bytes = device.Info.IsGpu ? GpuCopyBytes : CopyBytes;
        var shape = new MapShape(1, (int)(bytes / sizeof(float) / (1 << 16)), 1 << 8, 1 << 8);
        using var source = FeatureMap<float>.Create(device, shape);
        using var result = FeatureMap<float>.Create(device, shape);
        using var noise = FeatureMap<float>.From(
            device, new MapShape(1, shape.Channels, 1, 1), Noise(shape.Channels));
        using var call = Operands.Hold(source, result, noise);
        var kernels = ResamplingKernels.For(source);
        kernels.Resample(InterpolationMode.Nearest, alignCorners: false, noise, source);
        Action copy = device.Info.IsGpu
            ? () => device.Backend.Copy(source.Elements<float>(), result.Elements<float>())
            : () => kernels.Copy(source, result);
        return 2.0 * bytes / FastestSeconds(device, copy) * 1e-9;
    }

    // Zeros can be moved faster than other values.
    private static float[] Noise(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle())];
    }

    // A limit is what the device does when nothing disturbs it: the fastest of many.
    private static double FastestSeconds(ComputeDevice device, Action action)
    {
        int calls = device.Info.IsGpu ? GpuCallsPerWait : 1;
        action();
        device.Synchronize();
        double fastest = double.PositiveInfinity;
        long begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) < Duration)
        {
            long start = Stopwatch.GetTimestamp();
            for (int call = 0; call < calls; call++)
                action();
            device.Synchronize();
            fastest = Math.Min(fastest, Stopwatch.GetElapsedTime(start).TotalSeconds / calls);
        }
        return fastest;
    }
}
