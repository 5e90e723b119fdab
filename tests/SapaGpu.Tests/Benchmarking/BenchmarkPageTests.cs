using NUnit.Framework;
using SapaGpu.DeviceBenchmarks.Page;

namespace SapaGpu.Tests.Benchmarking;

/// <summary>The page of benchmarks: what is read of reports, what is written, and that the page of the docs is what records give.</summary>
public sealed class BenchmarkPageTests
{
    private const string Report = """
        {
          "Title": "SapaGpu.Benchmarks.InterpolationBenchmarks-20261127-120000",
          "HostEnvironmentInfo": { "ProcessorName": "A processor", "LogicalCoreCount": 2 },
          "Benchmarks": [
            { "Method": "Forward", "Parameters": "Operation=Bilinear&Workload=W0&Type=Float32&Format=ChannelsLast",
              "Statistics": { "Median": 2000000 } },
            { "Method": "TorchForward", "Parameters": "Operation=Bilinear&Workload=W0&Type=Float32&Format=ChannelsLast",
              "Statistics": { "Median": 8000000 } },
            { "Method": "Backward", "Parameters": "Operation=Bilinear&Workload=W0&Type=Float32&Format=ChannelsLast",
              "Statistics": { "Median": 3000000 } },
            { "Method": "TorchBackward", "Parameters": "Operation=Bilinear&Workload=W0&Type=Float32&Format=ChannelsLast",
              "Statistics": null },
            { "Method": "Copy", "Parameters": "Threads=1", "Statistics": { "Median": 5 } }
          ]
        }
        """;

    private static string Kept => Path.Combine(AppContext.BaseDirectory, "measured");

    [Test]
    public void A_report_of_the_suite_is_read()
    {
        using var folder = new TemporaryFolder();
        var record = RecordCommand.Read([Write(folder, Report)], date: null);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(record.Device, Is.EqualTo("A processor, 2 threads"));
            Assert.That(record.Date, Is.EqualTo("2026-11-27"));
            Assert.That(
                record.Rows,
                Is.EqualTo(new BenchmarkRow[]
                {
                    new("Bilinear", "W0", "Forward", "Float32", "ChannelsLast", 2, 8),
                    new("Bilinear", "W0", "Backward", "Float32", "ChannelsLast", 3, null),
                }));
        }
    }

    [Test]
    public void A_report_without_calls_is_refused()
    {
        using var folder = new TemporaryFolder();
        var empty = Write(
            folder,
            """{ "Title": "A-20261127-120000", "HostEnvironmentInfo": { "ProcessorName": "A", "LogicalCoreCount": 1 }, "Benchmarks": [] }""");
        Assert.That(() => RecordCommand.Read([empty], date: null), Throws.InstanceOf<InvalidDataException>());
        Assert.That(() => PageCommand.Read(empty), Throws.InstanceOf<InvalidDataException>().With.Message.Contains("record"));
    }

    [Test]
    public void Ratios_come_first_and_every_run_has_its_device_peer_and_command()
    {
        BenchmarkRow Row(string workload, double ours, double? peer) =>
            new("Bilinear", workload, "Forward", "Float32", "Contiguous", ours, peer);

        var early = new BenchmarkRecord("Early", "2026-01-02", "abc", "first", "a peer", null, [Row("W0", 1, 2), Row("W1", 1, 6), Row("W2", 1, 9)]);
        var late = early with { Device = "Late", Date = "2026-02-01", Note = "Shared.", Command = "one\ntwo", Rows = [Row("W0", 2, null)] };
        string page = BenchmarkPage.Write([early, late]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(page, Does.Contain("| Bilinear | forward | Float32 | 6 | 3 | a peer | Early | 2026-01-02 |"));
            Assert.That(page, Does.Contain("## Late, 2026-02-01\n\nPeer: a peer. Commit abc. Medians. Shared.\n\n    one\n    two\n"));
            Assert.That(page, Does.Contain("| Bilinear | W0 | forward | Float32 | Contiguous | – | 2 | – |"));
            Assert.That(page.IndexOf("## Late", StringComparison.Ordinal), Is.LessThan(page.IndexOf("## Early", StringComparison.Ordinal)));
        }
    }

    [Test]
    public void The_page_is_what_the_records_give()
    {
        var records = Directory.GetFiles(Kept, "*.json").Order(StringComparer.Ordinal).Select(path => PageCommand.Read(new FileInfo(path))).ToArray();
        Assert.That(records, Is.Not.Empty);
        Assert.That(BenchmarkPage.Write(records), Is.EqualTo(File.ReadAllText(Path.Combine(Kept, "measured.md"))));
    }

    private static FileInfo Write(TemporaryFolder folder, string text)
    {
        string path = Path.Combine(folder.Path, "report.json");
        File.WriteAllText(path, text);
        return new FileInfo(path);
    }
}
