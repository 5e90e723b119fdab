using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests;

/// <summary>
/// The devices that the operator tests run on, opened once. A missing GPU is skipped visibly; a missing processor is a
/// failure, and so is, in continuous integration, a missing OpenCL driver.
/// </summary>
public static class TestDevices
{
    private static readonly Dictionary<string, Func<ComputeDevice>> Openers = new()
    {
        ["cpu"] = () => ComputeDevice.Open(DeviceKind.Cpu),
        ["cpu-256"] = () => ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { VectorBits = 256 }),
        ["cpu-128"] = () => ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { VectorBits = 128, Threads = 3 }),
        ["emulator"] = () => ComputeDevice.OpenEmulator(),
        ["opencl"] = () => ComputeDevice.Open(DeviceKind.OpenCL),
        ["cuda"] = () => ComputeDevice.Open(DeviceKind.Cuda),
    };

    private static readonly Dictionary<string, ComputeDevice> Opened = [];

    /// <summary>Gets the names of all devices; the emulator runs the programs of a GPU in .NET.</summary>
    public static IEnumerable<string> All => Openers.Keys;

    /// <summary>Gets the devices that run the vector programs of the CPU.</summary>
    public static IEnumerable<string> Processors => ["cpu", "cpu-256", "cpu-128"];

    /// <summary>Gets the devices without OpenCL, whose driver takes a second to compile a kernel.</summary>
    public static IEnumerable<string> WithoutOpenCL => Openers.Keys.Where(name => name != "opencl");

    /// <summary>Gets the devices that are not slowed down by emulation.</summary>
    public static IEnumerable<string> Fast => Openers.Keys.Where(name => name != "emulator");

    /// <summary>Opens a device, or skips or fails the running test.</summary>
    public static ComputeDevice Open(string name)
    {
        lock (Opened)
        {
            if (Opened.TryGetValue(name, out var device))
                return device;
            device = OpenOrSkip(name, Openers[name]);
            Opened.Add(name, device);
            return device;
        }
    }

    /// <summary>Opens a device with settings of the test's own, or skips or fails the running test.</summary>
    public static ComputeDevice OpenAnew(string id, DeviceOptions? options = null) =>
        OpenOrSkip(id, () => ComputeDevice.Open(id, options));

    /// <summary>Closes all devices.</summary>
    public static void Close()
    {
        lock (Opened)
        {
            foreach (var device in Opened.Values)
                device.Dispose();
            Opened.Clear();
        }
    }

    private static ComputeDevice OpenOrSkip(string name, Func<ComputeDevice> open)
    {
        try
        {
            return open();
        }
        catch (DeviceUnavailableException e) when (name == "cuda" || (name == "opencl" && !InContinuousIntegration))
        {
            Assert.Ignore(e.Message);
            throw;
        }
    }

    private static bool InContinuousIntegration => Environment.GetEnvironmentVariable("CI") == "true";
}

/// <summary>Closes the devices when the last test has ended.</summary>
[SetUpFixture]
public sealed class TestDevicesTearDown
{
    [OneTimeTearDown]
    public void Close()
    {
        TestDevices.Close();
        FixtureTimesAttribute.Write();
    }
}
