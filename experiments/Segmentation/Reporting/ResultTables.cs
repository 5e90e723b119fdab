using System.Globalization;

namespace SapaGpu.Segmentation;

/// <summary>Writes results for people and for programs.</summary>
internal static class ResultTables
{
    private static readonly (string Name, Func<RunResult, object?> Value)[] Columns =
    [
        ("dataset", result => result.Key.Dataset),
        ("skip", result => result.Key.HasLaterals ? 1 : 0),
        ("operator", result => result.Key.Operator.Id()),
        ("seed", result => result.Key.Seed),
        ("miou", result => result.Test.MeanIoU),
        ("edge_miou", result => result.Test.EdgeMeanIoU),
        ("boundary_f", result => result.Test.BoundaryF),
        ("parameters", result => result.Parameters),
        ("upsampler_parameters", result => result.UpsamplerParameters),
        ("step_ms", result => result.StepMilliseconds),
        ("epochs", result => result.Settings.Epochs),
        ("batch", result => result.Settings.Batch),
        ("learning_rate", result => result.Settings.LearningRate),
        ("weight_decay", result => result.Settings.WeightDecay),
        ("image_limit", result => result.Settings.ImageLimit),
    ];

    /// <summary>Writes a line for every run, separated by commas.</summary>
    public static void WriteCsv(TextWriter writer, IEnumerable<RunResult> results)
    {
        writer.WriteLine(string.Join(',', Columns.Select(column => column.Name)));
        foreach (var result in results)
        {
            writer.WriteLine(string.Join(',', Columns.Select(
                column => string.Create(CultureInfo.InvariantCulture, $"{column.Value(result)}"))));
        }
    }

    /// <summary>Writes a group as Markdown: the scores of every operator, and its classes.</summary>
    public static void WriteMarkdown(TextWriter writer, ResultGroup group)
    {
        writer.WriteLine($"## {group.Title}");
        writer.WriteLine();
        MarkdownTable.Write(
            writer,
            [
                "operator", "runs", .. ScoreMeasure.All.Select(measure => measure.Title),
                "parameters", "of upsamplers", "ms a step",
            ],
            group.Operators.Select(results => (string[])
            [
                results.Operator.Title(),
                $"{results.Runs.Count}",
                .. ScoreMeasure.All.Select(measure => results.Describe(measure.Of)),
                $"{results.Runs[0].Parameters}",
                $"{results.Runs[0].UpsamplerParameters}",
                MarkdownTable.Number(results.Mean(result => result.StepMilliseconds)),
            ]));
        writer.WriteLine("IoU of the classes, means over the runs:");
        writer.WriteLine();
        MarkdownTable.Write(
            writer,
            ["operator", .. group.Classes],
            group.Operators.Select(results => (string[])
            [
                results.Operator.Title(),
                .. group.Classes.Select((_, label) => ClassIoU(results, label)),
            ]));
    }

    // A class that a run neither had nor found says nothing about it.
    private static string ClassIoU(OperatorResults results, int label) =>
        results.Runs.Average(run => run.Test.ClassIoU[label])?.ToString("0.000", CultureInfo.InvariantCulture) ?? "-";
}
