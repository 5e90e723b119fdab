using NUnit.Framework;
using SapaGpu.Tests;

namespace SapaGpu.Segmentation.Tests;

[TestFixture]
internal sealed class ReportTests
{
    [Test]
    public void Runs_of_an_operator_become_mean_and_deviation()
    {
        var groups = ResultGroup.Of(
        [
            Run(UpsamplingOperator.Bilinear, 0, 0.5),
            Run(UpsamplingOperator.Bilinear, 1, 0.7),
            Run(UpsamplingOperator.Nearest, 0, 0.4),
        ]);
        var writer = new StringWriter();
        ResultTables.WriteMarkdown(writer, groups.Single());
        Assert.That(writer.ToString(), Does.Contain("| bilinear | 2 | 0.6000 ± 0.1414 |"));
        Assert.That(writer.ToString(), Does.Contain("| nearest | 1 | 0.4000 |"));
        Assert.That(writer.ToString(), Does.Contain("| nearest | 0.250 | - |"));
    }

    [Test]
    public void Runs_with_other_settings_are_not_mixed()
    {
        var longer = Run(UpsamplingOperator.Nearest, 0, 0.4) with { Settings = new TrainingSettings { Epochs = 99 } };
        Assert.That(ResultGroup.Of([longer, Run(UpsamplingOperator.Nearest, 1, 0.4)]), Has.Count.EqualTo(2));
    }

    [Test]
    public void The_list_of_runs_has_a_line_for_each()
    {
        var writer = new StringWriter();
        ResultTables.WriteCsv(writer, [Run(UpsamplingOperator.SapaGated, 2, 0.5)]);
        var lines = writer.ToString().Split(writer.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(2));
        Assert.That(lines[1], Does.StartWith("squares,0,sapa-g,2,0.5,"));
    }

    [Test]
    public void All_operators_of_a_seed_come_before_the_next_seed()
    {
        using var folder = new TemporaryFolder();
        var datasets = new[] { SmallDataset.Write(folder["a"]), SmallDataset.Write(folder["b"]) };
        UpsamplingOperator[] operators = [UpsamplingOperator.Nearest, UpsamplingOperator.Carafe];
        var runs = new Experiment(datasets, operators, [3, 4], false, new TrainingSettings(), 0, folder.Path).Runs;
        Assert.That(runs.Select(run => run.Seed), Is.EqualTo(new[] { 3, 3, 3, 3, 4, 4, 4, 4 }));
        Assert.That(runs.Take(4).Select(run => run.Dataset), Is.EqualTo(new[] { "a", "a", "b", "b" }));
        Assert.That(runs.Take(2).Select(run => run.Operator), Is.EqualTo(operators));
    }

    [Test]
    public void Operators_are_found_by_their_names()
    {
        var found = UpsamplingOperators.All.Select(kind => UpsamplingOperators.Parse(kind.Id()));
        Assert.That(found, Is.EqualTo(UpsamplingOperators.All));
        Assert.That(() => UpsamplingOperators.Parse("cubic"), Throws.ArgumentException.With.Message.Contains("sapa-g"));
    }

    private static RunResult Run(UpsamplingOperator kind, int seed, double score) => new(
        new RunKey("squares", kind, HasLaterals: false, seed),
        new TrainingSettings(),
        ["one", "two"],
        Parameters: 10,
        UpsamplerParameters: 2,
        StepMilliseconds: 5,
        [new EpochRecord(1.5, 5, null)],
        new SegmentationScores(score, score, score, [0.25, null]));
}
