using System.CommandLine;
using SapaGpu.Cli;

namespace SapaGpu.Segmentation;

/// <summary><c>report</c>: tables and plots of all finished runs.</summary>
internal static class ReportCommand
{
    private const string TablesName = "report.md";
    private const string CsvName = "results.csv";

    public static Command Create()
    {
        var output = CommandOptions.Output();
        var quick = CommandOptions.Quick();
        var command = new Command(
            "report", "Print the tables of the finished runs, and store them with plots beside the runs.")
        {
            quick, output,
        };
        command.SetAction(result =>
        {
            Write(CommandOptions.ChooseOutput(result.GetValue(output), result.GetValue(quick)));
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Prints the tables, and stores them with the plots in the folder of the runs.</summary>
    /// <exception cref="FileNotFoundException">No run has ended.</exception>
    public static void Write(string output)
    {
        var results = RunFolder.Results(output);
        if (results.Count == 0)
            throw new FileNotFoundException($"No run under {output} has ended.");
        var groups = ResultGroup.Of(results);
        var tables = new StringWriter();
        foreach (var group in groups)
            ResultTables.WriteMarkdown(tables, group);
        Console.WriteLine();
        Console.Write(tables);
        WriteText(Path.Combine(output, TablesName), writer => writer.Write(tables));
        WriteText(Path.Combine(output, CsvName), writer => ResultTables.WriteCsv(writer, results));
        foreach (var (name, group) in Named(groups))
        {
            ResultPlots.SaveScores(Path.Combine(output, $"{name}-scores.png"), group);
            ResultPlots.SaveLosses(Path.Combine(output, $"{name}-loss.png"), group);
        }
        Console.WriteLine($"Tables and plots: {output}");
    }

    private static void WriteText(string path, Action<TextWriter> write) => AtomicFile.Write(path, stream =>
    {
        using var writer = new StreamWriter(stream, leaveOpen: true);
        write(writer);
    });

    // Runs of the same name with other settings get a number.
    private static IEnumerable<(string Name, ResultGroup Group)> Named(IEnumerable<ResultGroup> groups) =>
        from same in groups.GroupBy(runs => runs.Name)
        from numbered in same.Index()
        select (numbered.Index == 0 ? same.Key : $"{same.Key}-{numbered.Index + 1}", numbered.Item);
}
