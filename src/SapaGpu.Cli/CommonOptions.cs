using System.CommandLine;

namespace SapaGpu.Cli;

/// <summary>The options that several commands share.</summary>
internal static class CommonOptions
{
    /// <summary>The device to run on; without it, the best one present.</summary>
    public static Option<string?> Device() => new("--device")
    {
        Description = "The device: cpu, opencl, cuda, or cuda:1 for the second CUDA device. " +
            "Default: the best available.",
        HelpName = "id",
    };

    /// <summary>The element type of the maps.</summary>
    public static Option<string> ElementType()
    {
        var option = new Option<string>("--dtype")
        {
            Description = "The element type: f64, f32, f16 or bf16.",
            DefaultValueFactory = _ => SapaGpu.ElementType.Float32.ShortName(),
        };
        option.AcceptOnlyFromAmong([.. Enum.GetValues<ElementType>().Select(known => known.ShortName())]);
        return option;
    }

    /// <summary>The element type that the option names.</summary>
    public static ElementType Parse(string elementType) =>
        Enum.GetValues<ElementType>().First(known => known.ShortName() == elementType);

    /// <summary>Whether to print JSON.</summary>
    public static Option<bool> Json() =>
        new("--json") { Description = "Print only JSON on standard output." };

    /// <summary>Opens the device that the option names.</summary>
    /// <exception cref="DeviceUnavailableException">The device is not available.</exception>
    /// <exception cref="ArgumentException">The text is not a device identifier.</exception>
    public static ComputeDevice Open(string? id, DeviceOptions? options = null) =>
        id is null ? ComputeDevice.OpenDefault(options) : ComputeDevice.Open(id, options);
}
