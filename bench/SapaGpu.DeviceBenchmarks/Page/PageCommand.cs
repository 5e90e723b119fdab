using System.CommandLine;
using System.Text.Json;
using SapaGpu.Cli;
using SapaGpu.Workloads;

namespace SapaGpu.DeviceBenchmarks.Page;

/// <summary><c>page</c>: the page of benchmarks from records.</summary>
internal static class PageCommand
{
    public static Command Create()
    {
        var records = new Argument<FileInfo[]>("records")
        {
            Description = "What 'record' wrote.",
            Arity = ArgumentArity.OneOrMore,
        };
        records.AcceptExistingOnly();
        var output = new Option<FileInfo>("--output") { Description = "The page, in Markdown.", Required = true };
        var command = new Command("page", "Make the page of benchmarks from records.") { records, output };
        command.SetAction(result =>
        {
            File.WriteAllText(result.GetValue(output)!.FullName, BenchmarkPage.Write(result.GetValue(records)!.Select(Read)));
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="InvalidDataException">The file is none.</exception>
    public static BenchmarkRecord Read(FileInfo file)
    {
        var record = JsonSerializer.Deserialize<BenchmarkRecord>(File.ReadAllText(file.FullName), BenchmarkJson.Format);
        return record is { Device: not null, Date: not null, Command: not null, Rows: not null }
            ? record
            : throw new InvalidDataException($"{file.FullName} is no record of a run; 'record' writes one.");
    }
}
