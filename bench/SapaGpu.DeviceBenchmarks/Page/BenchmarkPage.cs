using SapaGpu.Workloads;

namespace SapaGpu.DeviceBenchmarks.Page;

/// <summary>The page of benchmarks: first the ratios, then every run with its device, peer and command.</summary>
internal static class BenchmarkPage
{
    /// <summary>Writes the page, the latest run first.</summary>
    public static string Write(IEnumerable<BenchmarkRecord> records)
    {
        BenchmarkRecord[] all =
        [
            .. records
                .OrderByDescending(record => record.Date, StringComparer.Ordinal)
                .ThenBy(record => record.Device, StringComparer.Ordinal),
        ];
        using var page = new StringWriter { NewLine = "\n" };
        page.WriteLine("# Measured");
        page.WriteLine();
        page.WriteLine("Made from the records in `docs/benchmarks` by `D page docs/benchmarks/*.json --output docs/measured.md`, with `D` as in");
        page.WriteLine("[Benchmarks](benchmarks.md#on-a-gpu). What the figures mean and what binds: [Performance](performance.md).");
        page.WriteLine();
        page.WriteLine("Times as fast as the peer, the median over workloads and formats of a run:");
        page.WriteLine();
        MarkdownTable.Write(
            page,
            ["operator", "pass", "type", "× faster", "calls", "peer", "device", "date"],
            from record in all
            from call in record.Rows
                .Where(row => row.TimesFaster is not null)
                .GroupBy(row => (row.Operator, row.Pass, row.Dtype))
            select (string[])
            [
                call.Key.Operator,
                call.Key.Pass.ToLowerInvariant(),
                call.Key.Dtype,
                MarkdownTable.Number(call.Select(row => row.TimesFaster!.Value).ToList().Median()),
                $"{call.Count()}",
                record.Peer,
                record.Device,
                record.Date,
            ]);
        foreach (var record in all)
            Write(page, record);
        return page.ToString().TrimEnd('\n') + "\n";
    }

    private static void Write(StringWriter page, BenchmarkRecord record)
    {
        page.WriteLine($"## {record.Device}, {record.Date}");
        page.WriteLine();
        page.WriteLine($"Peer: {record.Peer}. Commit {record.Commit}. Medians.{(record.Note is null ? "" : $" {record.Note}")}");
        page.WriteLine();
        foreach (string line in record.Command.Split('\n'))
            page.WriteLine($"    {line}");
        page.WriteLine();
        MarkdownTable.Write(
            page,
            ["operator", "workload", "pass", "type", "format", "× faster", "ours, ms", "peer, ms"],
            record.Rows.Select(row => (string[])
            [
                row.Operator,
                row.Workload,
                row.Pass.ToLowerInvariant(),
                row.Dtype,
                row.MemoryFormat,
                Number(row.TimesFaster),
                MarkdownTable.Number(row.MedianMilliseconds),
                Number(row.PeerMilliseconds),
            ]));
    }

    private static string Number(double? value) => value is { } known ? MarkdownTable.Number(known) : "–";
}
