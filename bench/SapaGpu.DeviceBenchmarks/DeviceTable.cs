using SapaGpu.Workloads;

namespace SapaGpu.DeviceBenchmarks;

/// <summary>Prints measurements on a device, beside those of other implementations where there are some.</summary>
internal static class DeviceTable
{
    /// <summary>Prints the table and, below it, what failed.</summary>
    public static void Print(DeviceReport report, PeerReport? peers)
    {
        Console.WriteLine($"{report.Device}: {report.Processor}, {report.Details}; {report.Workload}");
        Console.WriteLine(FormattableString.Invariant(
            $"Limits: fma {report.Limits.FmaGflops:f0} GFLOP/s (f32), copy {report.Limits.CopyGBps:f0} GB/s"));
        if (peers is not null)
            Console.WriteLine(FormattableString.Invariant($"{peers.Library}: copy {peers.CopyGBps:f0} GB/s"));
        Console.WriteLine();
        string[] implementations =
            [.. (peers?.Results ?? []).Select(result => result.Implementation).Distinct()];
        MarkdownTable.Print(
            [
                "operator", "pass", "type", "format", "ms", "GB/s", "GFLOP/s", "of the limit",
                .. implementations.Select(name => $"× {name}"),
                "host µs", "extra MiB",
                .. implementations.Select(name => $"{name}'s extra MiB"),
                "error",
            ],
            report.Results.Select(result => Row(result, peers, implementations)));
        PrintBesideBilinear(report, peers);
        foreach (var failure in report.Failures)
        {
            Console.WriteLine(
                $"FAILED {BenchmarkJson.Name(failure.Operator)}, {failure.Dtype}, " +
                $"{BenchmarkJson.Name(failure.MemoryFormat)}: {failure.Reason}");
        }
        foreach (var failure in peers?.Failures ?? [])
        {
            Console.WriteLine(
                $"peer failed {failure.Implementation} {BenchmarkJson.Name(failure.Operator)}, {failure.Dtype}, " +
                $"{BenchmarkJson.Name(failure.MemoryFormat)}: {failure.Reason}");
        }
    }

    // A network that upsamples by interpolation pays this much for the change.
    private static void PrintBesideBilinear(DeviceReport report, PeerReport? peers)
    {
        var attention = report.Results.Select(result => result.Timing)
            .Where(timing => timing.Operator == Operator.WindowAttention);
        foreach (var timing in attention)
        {
            var interpolation = peers?.Results.FirstOrDefault(peer => peer.Operator == Operator.Bilinear
                && (peer.Pass, peer.Dtype, peer.MemoryFormat) == (timing.Pass, timing.Dtype, timing.MemoryFormat));
            if (interpolation is null)
                continue;
            Console.WriteLine(
                $"window attention, {BenchmarkJson.Name(timing.Pass)}, {timing.Dtype}, " +
                $"{BenchmarkJson.Name(timing.MemoryFormat)}: " +
                $"{MarkdownTable.Number(timing.MedianMilliseconds / interpolation.MedianMilliseconds)} times the bilinear " +
                $"interpolation of {peers!.Library}");
        }
    }

    private static string[] Row(DeviceResult result, PeerReport? peers, string[] implementations)
    {
        var timing = result.Timing;
        var found = implementations
            .Select(name => peers?.Results.FirstOrDefault(peer => peer.Implementation == name
                && (peer.Operator, peer.Pass, peer.Dtype, peer.MemoryFormat)
                    == (timing.Operator, timing.Pass, timing.Dtype, timing.MemoryFormat)))
            .ToArray();
        return
        [
            BenchmarkJson.Name(timing.Operator),
            BenchmarkJson.Name(timing.Pass),
            timing.Dtype,
            BenchmarkJson.Name(timing.MemoryFormat),
            MarkdownTable.Number(timing.MedianMilliseconds),
            MarkdownTable.Number(timing.GigabytesPerSecond),
            MarkdownTable.Number(timing.Gflops),
            FormattableString.Invariant($"{timing.ShareOfLimit * 100:f0} % {BenchmarkJson.Name(timing.Limit)}"),
            .. found.Select(peer => Number(peer?.MedianMilliseconds / timing.MedianMilliseconds)),
            MarkdownTable.Number(result.HostMicroseconds),
            MarkdownTable.Number(result.ExtraMebibytes),
            .. found.Select(peer => Number(peer?.ExtraMebibytes)),
            result.LargestError.ToString("g1", System.Globalization.CultureInfo.InvariantCulture),
        ];
    }

    private static string Number(double? value) => value is { } known ? MarkdownTable.Number(known) : "–";
}
