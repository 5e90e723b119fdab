using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SapaGpu.Workloads;
using Spectre.Console;

namespace SapaGpu.Cli.Commands;

/// <summary>
/// <c>sapagpu bench</c>: measures the time of the operators and compares it with the peak rates of the device.
/// </summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var workload = new Option<string>("--workload")
        {
            Description = "The workload: " +
                string.Join("; ", Workload.All.Select(known => $"{known.Name}, {known.Description}")) + ".",
            DefaultValueFactory = _ => Workload.W0.Name,
            HelpName = "name",
        };
        var device = CommonOptions.Device();
        var type = CommonOptions.ElementType();
        var json = CommonOptions.Json();
        var command = new Command(
            "bench", "Time the operators, forward and backward, and compare with measured peak rates of the device.")
        {
            workload, device, type, json,
        };
        command.SetAction(result =>
        {
            var chosen = Workload.Find(result.GetValue(workload)!);
            var elementType = CommonOptions.Parse(result.GetValue(type)!);
            using var opened = CommonOptions.Open(result.GetValue(device), new DeviceOptions { MeasuresTime = true });
            bool asJson = result.GetValue(json);
            var report = asJson ? BenchmarkReport.Create(opened, chosen, elementType) : Watch(
                opened, chosen, elementType);
            if (asJson)
                Console.Out.WriteLine(JsonSerializer.Serialize(report, BenchmarkJson.Format));
            else
                Print(report, chosen, opened);
            return ExitCode.Success;
        });
        return command;
    }

    private static BenchmarkReport Watch(ComputeDevice device, Workload workload, ElementType elementType)
    {
        BenchmarkReport? report = null;
        Terminal.ShowProgress(maximum: 1, isWanted: true, advance => report = BenchmarkReport.Create(
            device, workload, elementType, share => advance("Measuring", share)));
        return report!;
    }

    private static void Print(BenchmarkReport report, Workload workload, ComputeDevice device)
    {
        var table = new Table().AddColumns("Operator", "Pass", "Format", "Median", "GFLOP/s", "GB/s", "Of the limit");
        foreach (var column in table.Columns.Skip(3))
            column.RightAligned();
        foreach (var result in report.Results)
        {
            table.AddRow(
                Text(result.Operator),
                Text(result.Pass),
                Text(result.MemoryFormat),
                string.Create(CultureInfo.InvariantCulture, $"{result.MedianMilliseconds:g4} ms"),
                result.Gflops.ToString("f1", CultureInfo.InvariantCulture),
                result.GigabytesPerSecond.ToString("f1", CultureInfo.InvariantCulture),
                string.Create(
                    CultureInfo.InvariantCulture, $"{result.ShareOfLimit * 100:f0} % of {Text(result.Limit)}"));
        }
        Terminal.WriteLine(Console.Out, $"{device}, {device.Info.Details}");
        Terminal.WriteLine(Console.Out, $"{workload.Name}: {workload.Description}; {report.Results[0].Dtype}");
        Terminal.WriteLine(Console.Out, string.Create(
            CultureInfo.InvariantCulture,
            $"Limits: fma {report.Limits.FmaGflops:f0} GFLOP/s (f32), copy {report.Limits.CopyGBps:f1} GB/s"));
        Terminal.Tables(Console.Out).Write(table);
    }

    private static string Text<TValue>(TValue value)
        where TValue : struct, Enum => BenchmarkJson.Name(value).Replace('_', ' ');
}
