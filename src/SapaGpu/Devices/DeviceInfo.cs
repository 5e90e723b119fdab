namespace SapaGpu;

/// <summary>What is known of a device before it is opened.</summary>
/// <param name="Kind">The backend.</param>
/// <param name="Ordinal">The position among the devices of that backend, from 0.</param>
/// <param name="Name">The name that the driver gives.</param>
/// <param name="MemoryBytes">The memory of the device, in bytes.</param>
/// <param name="IsGpu">
/// Whether the device is a GPU; an OpenCL device may be a processor, and a CUDA device the simulation of one.
/// </param>
/// <param name="SupportsFloat64">Whether the device computes in double precision.</param>
/// <param name="Details">Backend, version and limits, in words.</param>
public sealed record DeviceInfo(
    DeviceKind Kind,
    int Ordinal,
    string Name,
    long MemoryBytes,
    bool IsGpu,
    bool SupportsFloat64,
    string Details)
{
    /// <summary>Gets the identifier that <see cref="Device.Open(string, DeviceOptions?)"/> takes, such as "cuda:0".</summary>
    public string Id => Ordinal == 0 ? KindName : $"{KindName}:{Ordinal}";

    /// <summary>Gets the backend as it is written in identifiers.</summary>
    public string KindName => DeviceNames.Of(Kind);
}

/// <summary>The written names of the backends.</summary>
internal static class DeviceNames
{
    public static string Of(DeviceKind kind) => kind switch
    {
        DeviceKind.Cuda => "cuda",
        DeviceKind.OpenCL => "opencl",
        _ => "cpu",
    };

    public static (DeviceKind Kind, int Ordinal) Parse(string id)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        var parts = id.Split(':');
        DeviceKind? kind = parts[0].ToLowerInvariant() switch
        {
            "cpu" => DeviceKind.Cpu,
            "opencl" => DeviceKind.OpenCL,
            "cuda" => DeviceKind.Cuda,
            _ => null,
        };
        int ordinal = 0;
        if (kind is null || parts.Length > 2 || (parts.Length == 2 && !TryParse(parts[1], out ordinal)))
        {
            throw new ArgumentException(
                $"'{id}' names no device; write cpu, opencl or cuda, with an ordinal where there are several: cuda:1.",
                nameof(id));
        }
        return (kind.Value, ordinal);
    }

    private static bool TryParse(string text, out int ordinal) => int.TryParse(
        text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out ordinal);
}
