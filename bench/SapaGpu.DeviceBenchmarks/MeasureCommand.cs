using System.CommandLine;
using System.Text.Json;
using SapaGpu.Cli;
using SapaGpu.Workloads;

namespace SapaGpu.DeviceBenchmarks;

/// <summary>
/// <c>measure</c>: the operators on a GPU, or any other device, compared with the CPU and then timed.
/// </summary>
internal static class MeasureCommand
{
    public static Command Create()
    {
        var device = CommonOptions.Device();
        var workload = WorkloadOption("--workload", Workload.W0, "What is timed.");
        var compared = WorkloadOption("--compared", Workload.Medium, "What is compared with the CPU first.");
        var types = new Option<string>("--dtypes")
        {
            Description = "The types of the tensors, separated by commas.",
            DefaultValueFactory = _ => "f32,f16,bf16",
        };
        var seconds = new Option<double>("--seconds")
        {
            Description = "How long every call is timed.",
            DefaultValueFactory = _ => 0.3,
        };
        var output = new Option<FileInfo?>("--output") { Description = "The file of the results, as JSON." };
        var samples = new Option<DirectoryInfo?>("--samples")
        {
            Description = "Write operands and results to this folder, for other implementations to be compared with.",
        };
        var command = new Command(
            "measure", "Compare the operators of a device with those of the CPU, then time them by the device's clock.")
        {
            device, workload, compared, types, seconds, output, samples,
        };
        command.SetAction(result =>
        {
            var timed = Workload.Find(result.GetValue(workload)!);
            var comparedWorkload = Workload.Find(result.GetValue(compared)!);
            if (result.GetValue(samples) is { } folder)
                SampleFolder.Write(folder.FullName, DeviceMeasurement.Operators, comparedWorkload, timed);
            using var opened = CommonOptions.Open(result.GetValue(device), new DeviceOptions { MeasuresTime = true });
            var measurement = new DeviceMeasurement(
                opened, timed, comparedWorkload, TimeSpan.FromSeconds(result.GetValue(seconds)));
            var file = result.GetValue(output);
            var report = measurement.Run(
                ParseTypes(result.GetValue(types)!), Console.Error.WriteLine, report => Save(report, file));
            DeviceTable.Print(report, peers: null);
            return report.Failures.Count == 0 ? ExitCode.Success : ExitCode.Failure;
        });
        return command;
    }

    /// <summary>The option that names a workload.</summary>
    internal static Option<string> WorkloadOption(string name, Workload byDefault, string description)
    {
        var option = new Option<string>(name)
        {
            Description = description,
            DefaultValueFactory = _ => byDefault.Name,
        };
        option.AcceptOnlyFromAmong([.. Workload.All.Select(known => known.Name)]);
        return option;
    }

    private static void Save(DeviceReport report, FileInfo? file)
    {
        if (file is not null)
            File.WriteAllText(file.FullName, JsonSerializer.Serialize(report, BenchmarkJson.Format));
    }

    private static ElementType[] ParseTypes(string names) =>
        [.. names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Parse)];

    private static ElementType Parse(string name)
    {
        var known = Enum.GetValues<ElementType>();
        return known.Any(type => type.ShortName() == name)
            ? CommonOptions.Parse(name)
            : throw new ArgumentException(
                $"There is no type '{name}'; there are {string.Join(", ", known.Select(type => type.ShortName()))}.");
    }
}
