using NUnit.Framework;

namespace SapaGpu.Tests.Devices;

/// <summary>
/// The simulation of a CUDA driver, where the library path has one: it checks every access, and on demand what no
/// result shows.
/// </summary>
internal static class SimulatedCuda
{
    /// <summary>Skips the running test where CUDA is missing, or a GPU.</summary>
    public static void Require() => Open(new DeviceOptions()).Dispose();

    /// <summary>Opens the simulated device, or skips the running test.</summary>
    public static ComputeDevice Open(DeviceOptions options)
    {
        var device = TestDevices.OpenAnew("cuda", options);
        if (device.Info.IsGpu)
        {
            device.Dispose();
            Assert.Ignore($"This is for a simulated driver, and {device} is a GPU.");
        }
        return device;
    }
}
