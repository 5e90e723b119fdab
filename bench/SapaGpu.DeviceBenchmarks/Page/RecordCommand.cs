using System.CommandLine;
using System.Text.Json;
using SapaGpu.Cli;
using SapaGpu.Workloads;

namespace SapaGpu.DeviceBenchmarks.Page;

/// <summary><c>record</c>: what one run measured, with what a reader needs to judge and repeat it.</summary>
internal static class RecordCommand
{
    public static Command Create()
    {
        var reports = new Argument<FileInfo[]>("reports")
        {
            Description = "Full reports of the benchmark suite, or what 'measure --output' and bench/gpu/peers.py wrote, of one run.",
            Arity = ArgumentArity.OneOrMore,
        };
        reports.AcceptExistingOnly();
        var run = new Option<string>("--command") { Description = "The command that measured.", Required = true };
        var commit = new Option<string>("--commit") { Description = "What was measured.", Required = true };
        var date = new Option<string?>("--date") { Description = "The day, as 2026-11-27; by default that of the reports." };
        var note = new Option<string?>("--note") { Description = "What a reader has to know of the run." };
        var output = new Option<FileInfo>("--output") { Description = "The record.", Required = true };
        var command = new Command("record", "Keep what a run measured for the page of benchmarks.")
        {
            reports, run, commit, date, note, output,
        };
        command.SetAction(result =>
        {
            var record = Read(result.GetValue(reports)!, result.GetValue(date)) with
            {
                Command = result.GetValue(run)!,
                Commit = result.GetValue(commit)!,
                Note = result.GetValue(note),
            };
            File.WriteAllText(
                result.GetValue(output)!.FullName, JsonSerializer.Serialize(record, BenchmarkJson.Format) + "\n");
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Reads the reports of one run; command and commit are left empty.</summary>
    /// <exception cref="InvalidDataException">They are of different devices, hold no row, or have no date.</exception>
    public static BenchmarkRecord Read(IEnumerable<FileInfo> files, string? date)
    {
        var roots = new List<JsonElement>();
        foreach (var file in files)
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file.FullName));
            roots.Add(document.RootElement.Clone());
        }
        var record = roots.TrueForAll(SuiteReport.Is) ? OfSuite(roots, date) : OfDevice(roots, date);
        return record.Rows.Count > 0 ? record : throw new InvalidDataException("The reports hold no measured call.");
    }

    private static BenchmarkRecord OfSuite(List<JsonElement> roots, string? date)
    {
        MeasuredRuns.CheckSame([.. roots.Select(SuiteReport.Device)], "are no rows of one table; give files of one device");
        return new(
            SuiteReport.Device(roots[0]),
            date ?? SuiteReport.Date(roots[0]),
            string.Empty,
            string.Empty,
            "libtorch",
            null,
            [.. roots.SelectMany(SuiteReport.Rows)]);
    }

    private static BenchmarkRecord OfDevice(List<JsonElement> roots, string? date)
    {
        var ours = DeviceReport.Join(
            [.. roots.Where(root => root.TryGetProperty("limits", out _)).Select(root => root.Deserialize<DeviceReport>(BenchmarkJson.Format)!)]);
        PeerReport[] peers =
            [.. roots.Where(root => root.TryGetProperty("library", out _)).Select(root => root.Deserialize<PeerReport>(BenchmarkJson.Format)!)];
        var eager = peers.SelectMany(report => report.Results).Where(row => row.Implementation == "eager").ToDictionary(
            row => (row.Operator, row.Pass, row.Dtype, row.MemoryFormat), row => row.MedianMilliseconds);
        return new(
            ours.Processor,
            date ?? throw new InvalidDataException("Measurements of a device have no date; give --date."),
            string.Empty,
            string.Empty,
            peers.Length == 0 ? "none" : $"{peers[^1].Library}, eager",
            null,
            [
                .. ours.Results.Select(result => result.Timing).Select(timing => new BenchmarkRow(
                    $"{timing.Operator}",
                    timing.Workload,
                    $"{timing.Pass}",
                    timing.Dtype,
                    $"{timing.MemoryFormat}",
                    timing.MedianMilliseconds,
                    eager.TryGetValue((timing.Operator, timing.Pass, timing.Dtype, timing.MemoryFormat), out double peer)
                        ? peer
                        : null)),
            ]);
    }
}
