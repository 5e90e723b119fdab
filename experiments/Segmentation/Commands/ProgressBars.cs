using System.Globalization;
using Spectre.Console;

namespace SapaGpu.Segmentation;

/// <summary>Shows a bar for all runs and one for the run that is going on.</summary>
internal sealed class ProgressBars : ITrainingObserver
{
    private readonly ProgressContext context;
    private readonly ProgressTask all;
    private ProgressTask? current;

    private ProgressBars(ProgressContext context, int runs)
    {
        this.context = context;
        all = context.AddTask("all runs", maxValue: runs);
    }

    /// <summary>Does work that shows how far it has come.</summary>
    public static void Show(IReadOnlyList<RunKey> runs, Action<ITrainingObserver> work) => AnsiConsole.Progress()
        .AutoClear(true)
        .Columns(
            new TaskDescriptionColumn { Alignment = Justify.Left },
            new ProgressBarColumn(),
            new PercentageColumn(),
            new RemainingTimeColumn())
        .Start(context => work(new ProgressBars(context, runs.Count)));

    public void RunStarted(RunKey key, int stepsTaken, int steps)
    {
        current = context.AddTask(key.ToString(), maxValue: steps);
        current.Value = stepsTaken;
    }

    public void StepTaken(RunKey key, int epoch, double loss)
    {
        current!.Description = string.Create(
            CultureInfo.InvariantCulture, $"{key}, epoch {epoch + 1}, loss {loss:0.000}");
        current.Increment(1);
    }

    public void EpochEnded(RunKey key, int epoch, EpochRecord record)
    {
        // The bar has moved with the steps.
    }

    public void RunEnded(RunResult result)
    {
        if (current is not null)
            current.StopTask();
        current = null;
        all.Increment(1);
        AnsiConsole.WriteLine(ProgressLines.Describe(result));
    }
}
