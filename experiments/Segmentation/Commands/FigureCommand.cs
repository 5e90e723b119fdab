using System.CommandLine;
using SapaGpu.Cli;

namespace SapaGpu.Segmentation;

/// <summary><c>figure</c>: pictures of what trained networks predict, and of their upsampled features.</summary>
internal static class FigureCommand
{
    private const int DefaultImages = 4;

    public static Command Create()
    {
        var data = CommandOptions.Data();
        var operators = CommandOptions.Operators();
        var output = CommandOptions.Output();
        var quick = CommandOptions.Quick();
        var skip = CommandOptions.Skip();
        var seed = new Option<int>("--seed") { Description = "The seed of the runs." };
        var count = new Option<int>("--images")
        {
            Description = "How many test images, at even distances.",
            DefaultValueFactory = _ => DefaultImages,
        };
        var names =
            new Option<string?>("--names") { Description = "The names of test images instead, separated by commas." };
        var command = new Command("figure", "Draw predictions and upsampled features of the finished runs.")
        {
            data, operators, seed, skip, count, names, quick, output,
        };
        command.SetAction(result =>
        {
            string folder = CommandOptions.ChooseOutput(result.GetValue(output), result.GetValue(quick));
            var kinds = CommandOptions.ParseOperators(result.GetValue(operators)!);
            foreach (var dataset in CommandOptions.OpenDatasets(result.GetValue(data)))
            {
                var images = result.GetValue(names) is { } list
                    ? dataset.Load(SegmentationDataset.Test, list.Split(','))
                    : dataset.Load(SegmentationDataset.Test, result.GetValue(count));
                var runs = FindRuns(folder, dataset, kinds, result.GetValue(skip), result.GetValue(seed));
                foreach (string path in new FigureWriter(dataset, images, runs, folder).Write())
                    Console.WriteLine(path);
            }
            return ExitCode.Success;
        });
        return command;
    }

    private static List<RunResult> FindRuns(
        string output, SegmentationDataset dataset, IReadOnlyList<UpsamplingOperator> kinds, bool hasLaterals, int seed)
    {
        var runs = kinds
            .Select(kind => new RunFolder(output, new RunKey(dataset.Name, kind, hasLaterals, seed)).FindResult())
            .OfType<RunResult>()
            .ToList();
        return runs.Count > 0
            ? runs
            : throw new FileNotFoundException($"No run on {dataset.Name} with seed {seed} under {output} has ended.");
    }
}
