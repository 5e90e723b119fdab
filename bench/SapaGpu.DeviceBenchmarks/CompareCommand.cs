using System.CommandLine;
using System.Text.Json;
using SapaGpu.Cli;
using SapaGpu.Workloads;

namespace SapaGpu.DeviceBenchmarks;

/// <summary>
/// <c>compare</c>: one table of what <c>measure</c> measured, in one run or several, and of other implementations on the same
/// device.
/// </summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var files = new Argument<FileInfo[]>("files")
        {
            Description = "What 'measure --output' and bench/gpu/peers.py wrote, of one device and workload. What several " +
                "have is taken from the last.",
            Arity = ArgumentArity.OneOrMore,
        };
        files.AcceptExistingOnly();
        var command = new Command("compare", "Print measurements on a device beside those of other implementations.")
        {
            files,
        };
        command.SetAction(result =>
        {
            var ours = new List<DeviceReport>();
            var peers = new List<PeerReport>();
            foreach (var file in result.GetValue(files)!)
                Read(file, ours, peers);
            if (ours.Count == 0)
                throw new InvalidDataException("None of the files was written by 'measure --output'; give one that was.");
            DeviceTable.Print(DeviceReport.Join(ours), peers.Count == 0 ? null : PeerReport.Join(peers));
            return ExitCode.Success;
        });
        return command;
    }

    private static void Read(FileInfo file, List<DeviceReport> ours, List<PeerReport> peers)
    {
        using var stream = file.OpenRead();
        using var document = JsonDocument.Parse(stream);
        if (Has(nameof(DeviceReport.Limits)))
            ours.Add(document.Deserialize<DeviceReport>(BenchmarkJson.Format)!);
        else if (Has(nameof(PeerReport.Library)))
            peers.Add(document.Deserialize<PeerReport>(BenchmarkJson.Format)!);
        else
            throw new InvalidDataException($"{file.FullName} holds no measurements.");

        bool Has(string property) => document.RootElement.ValueKind == JsonValueKind.Object
            && document.RootElement.EnumerateObject().Any(
                member => member.Name.Equals(property, StringComparison.OrdinalIgnoreCase));
    }
}
