using System.CommandLine;
using System.Text.Json;
using Spectre.Console;

namespace SapaGpu.Cli.Commands;

/// <summary><c>sapagpu info</c>: lists the devices, what each supports, and why others are unavailable.</summary>
internal static class InfoCommand
{
    private static readonly DeviceKind[] Kinds = [DeviceKind.Cuda, DeviceKind.OpenCL, DeviceKind.Cpu];
    private static readonly JsonSerializerOptions JsonFormat = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
    };

    public static Command Create()
    {
        var json = CommonOptions.Json();
        var command = new Command(
            "info", "List the devices, what each supports, and why other backends are unavailable.") { json };
        command.SetAction(result =>
        {
            var backends = Kinds.Select(Describe).ToList();
            if (result.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(new { Backends = backends }, JsonFormat));
            else
                Print(backends);
            return ExitCode.Success;
        });
        return command;
    }

    private static Backend Describe(DeviceKind kind)
    {
        var devices = ComputeDevice.Enumerate(kind).Select(Describe).ToList();
        string name = kind.ToString().ToLowerInvariant();
        return new Backend(name, devices, devices.Count > 0 ? null : ComputeDevice.WhyUnavailable(kind));
    }

    private static DeviceDescription Describe(DeviceInfo info) => new(
        info.Id,
        info.Name,
        info.Details,
        info.MemoryBytes,
        info.IsGpu,
        [
            .. Enum.GetValues<ElementType>().Select(type =>
            {
                var reasons = OperatorSupport.Reasons(info, type);
                return new TypeSupport(type.ShortName(), reasons.Count == 0, reasons);
            }),
        ],
        new WindowSupport(1, OperatorSupport.MaximumWindow, 1, OperatorSupport.MaximumScale));

    private static void Print(List<Backend> backends)
    {
        var table = new Table().AddColumns("Device", "Name", "Memory", "Element types", "Details");
        foreach (var device in backends.SelectMany(backend => backend.Devices))
        {
            var types = device.ElementTypes.Select(type =>
                type.Supported ? type.Name : $"no {type.Name}: {string.Join("; ", type.Reasons)}");
            table.AddRow(
                Terminal.Cell(device.Id),
                Terminal.Cell(device.Name),
                Terminal.Cell($"{device.MemoryBytes / (double)(1L << 30):f1} GiB"),
                Terminal.Cell(string.Join(", ", types)),
                Terminal.Cell(device.Details));
        }
        var console = Terminal.Tables(Console.Out);
        console.Write(table);
        foreach (var backend in backends.Where(backend => backend.Unavailable is not null))
            console.MarkupLine($"[yellow]{Terminal.Cell(backend.Kind)}[/]: {Terminal.Cell(backend.Unavailable!)}");
        Terminal.WriteLine(
            Console.Out,
            $"Windows: odd widths from 1 to {OperatorSupport.MaximumWindow}; scales from 1 to {OperatorSupport.MaximumScale}.");
    }

    private sealed record Backend(string Kind, IReadOnlyList<DeviceDescription> Devices, string? Unavailable);

    private sealed record DeviceDescription(
        string Id,
        string Name,
        string Details,
        long MemoryBytes,
        bool IsGpu,
        IReadOnlyList<TypeSupport> ElementTypes,
        WindowSupport Windows);

    private sealed record TypeSupport(string Name, bool Supported, IReadOnlyList<string> Reasons);

    private sealed record WindowSupport(int MinimumWindow, int MaximumWindow, int MinimumScale, int MaximumScale);
}
