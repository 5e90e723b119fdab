using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary><c>startup</c>: what the first call costs in a process that has just begun.</summary>
internal static class StartupCommand
{
    /// <summary>The argument that makes this program the process that is started.</summary>
    public const string ChildArgument = "first-call";

    private const int Processes = 5;

    public static Command Create()
    {
        var workload = CommandOptions.Workload(Workload.Medium.Name);
        var command = new Command(
            "startup", "Time the first and the second forward of window attention in a new process.")
        {
            workload,
        };
        command.SetAction(result => Print(Workload.Find(result.GetValue(workload)!)));
        return command;
    }

    /// <summary>Times opening a device and two calls, and prints the milliseconds.</summary>
    public static void Serve(string workload)
    {
        var stage = Workload.Find(workload).Stages[0];
        long begin = Stopwatch.GetTimestamp();
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        Report(begin);
        using var query = FeatureMap<float>.Create(device, stage.Shape.QueryShape);
        using var key = FeatureMap<float>.Create(device, stage.Shape.KeyShape);
        using var value = FeatureMap<float>.Create(device, stage.Shape.ValueShape);
        using var output = FeatureMap<float>.Create(device, stage.Shape.OutputShape);
        foreach (var tensor in new[] { query, key, value, output })
            tensor.Clear();
        device.Synchronize();
        for (int call = 0; call < 2; call++)
        {
            begin = Stopwatch.GetTimestamp();
            WindowAttention.Forward(query, key, value, output, stage.Options);
            device.Synchronize();
            Report(begin);
        }
    }

    private static void Report(long begin) => Console.WriteLine(
        Stopwatch.GetElapsedTime(begin).TotalMilliseconds.ToString("r", CultureInfo.InvariantCulture));

    private static void Print(Workload workload)
    {
        var rows = Enumerable.Range(0, Processes)
            .Select(_ => ChildProcess.Run(ChildArgument, workload.Name)
                .Select(line => double.Parse(line, CultureInfo.InvariantCulture))
                .ToArray())
            .ToArray();
        Console.WriteLine(
            $"Window attention, forward, f32, {workload.Name}; medians of {Processes} new processes, in ms");
        Console.WriteLine();
        MarkdownTable.Print(
            ["open the device", "first call", "second call"],
            [[.. Enumerable.Range(0, 3).Select(
                i => MarkdownTable.Number(rows.Select(row => row[i]).ToArray().Median()))]]);
    }
}
