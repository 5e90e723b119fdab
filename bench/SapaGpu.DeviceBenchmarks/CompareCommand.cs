using System.CommandLine;
using System.Text.Json;
using SapaGpu.Cli;
using SapaGpu.Workloads;

namespace SapaGpu.DeviceBenchmarks;

/// <summary>
/// <c>compare</c>: one table of what <c>measure</c> measured and of other implementations on the same device.
/// </summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var ours = new Argument<FileInfo>("results") { Description = "What 'measure --output' wrote." };
        var peers = new Argument<FileInfo>("peers")
        {
            Description = "What bench/gpu/peers.py wrote.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        ours.AcceptExistingOnly();
        peers.AcceptExistingOnly();
        var command = new Command("compare", "Print measurements on a device beside those of other implementations.")
        {
            ours, peers,
        };
        command.SetAction(result =>
        {
            DeviceTable.Print(
                Read<DeviceReport>(result.GetValue(ours)!),
                result.GetValue(peers) is { } file ? Read<PeerReport>(file) : null);
            return ExitCode.Success;
        });
        return command;
    }

    private static T Read<T>(FileInfo file)
    {
        using var stream = file.OpenRead();
        return JsonSerializer.Deserialize<T>(stream, BenchmarkJson.Format)
            ?? throw new InvalidDataException($"{file.FullName} holds no measurements.");
    }
}
