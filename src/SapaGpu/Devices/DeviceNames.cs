namespace SapaGpu.Devices;

/// <summary>The names of the backends in device identifiers.</summary>
internal static class DeviceNames
{
    public static string Of(DeviceKind kind) => kind switch
    {
        DeviceKind.Cuda => "cuda",
        DeviceKind.OpenCL => "opencl",
        DeviceKind.Cpu => "cpu",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "The backend is not defined."),
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
                $"'{id}' is not a device identifier; use cpu, opencl or cuda, or cuda:1 for the second CUDA device.",
                nameof(id));
        }
        return (kind.Value, ordinal);
    }

    private static bool TryParse(string text, out int ordinal) => int.TryParse(
        text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out ordinal);
}
