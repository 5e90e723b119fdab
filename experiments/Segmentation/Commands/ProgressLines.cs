using System.Globalization;

namespace SapaGpu.Segmentation;

/// <summary>Writes a line for every epoch and every run.</summary>
internal sealed class ProgressLines(TextWriter writer) : ITrainingObserver
{
    public void RunStarted(RunKey key, int stepsTaken, int steps)
    {
        if (stepsTaken > 0)
            writer.WriteLine($"{key} goes on after {stepsTaken} of {steps} steps");
    }

    public void StepTaken(RunKey key, int epoch, double loss)
    {
        // A step is too short for a line.
    }

    public void EpochEnded(RunKey key, int epoch, EpochRecord record)
    {
        string validation = record.ValidationMeanIoU is { } score ? Invariant($", validation mIoU {score:0.0000}") : "";
        writer.WriteLine(Invariant(
            $"{key}, epoch {epoch + 1}: loss {record.Loss:0.0000}, {record.StepMilliseconds:0} ms a step{validation}"));
    }

    public void RunEnded(RunResult result) => writer.WriteLine(Describe(result));

    /// <summary>The scores of a run in a line.</summary>
    public static string Describe(RunResult result)
    {
        string scores = Invariant($"mIoU {result.Test.MeanIoU:0.0000}, near edges {result.Test.EdgeMeanIoU:0.0000}");
        return Invariant($"{result.Key}: {scores}, boundary F {result.Test.BoundaryF:0.0000}");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
