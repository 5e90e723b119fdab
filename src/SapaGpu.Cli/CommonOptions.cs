using System.CommandLine;

namespace SapaGpu.Cli;

/// <summary>The options that several commands have.</summary>
internal static class CommonOptions
{
    /// <summary>The device to run on; without it, the best one present.</summary>
    public static Option<string?> Device() => new("--device")
    {
        Description = "Where to run: cpu, opencl, cuda, or cuda:1 for the second one. Default: the best one present.",
        HelpName = "id",
    };

    /// <summary>Opens the device that the option names.</summary>
    /// <exception cref="DeviceUnavailableException">There is no such device on this machine.</exception>
    /// <exception cref="ArgumentException">The text names no device.</exception>
    public static Device Open(string? id) => id is null ? SapaGpu.Device.OpenDefault() : SapaGpu.Device.Open(id);
}
