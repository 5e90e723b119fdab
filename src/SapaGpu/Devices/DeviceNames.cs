namespace SapaGpu.Devices;

/// <summary>The written names of the backends.</summary>
internal static class DeviceNames
{
    public static string Of(DeviceKind kind) => kind switch
    {
        DeviceKind.Cuda => "cuda",
        DeviceKind.OpenCL => "opencl",
        DeviceKind.Cpu => "cpu",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such backend."),
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
