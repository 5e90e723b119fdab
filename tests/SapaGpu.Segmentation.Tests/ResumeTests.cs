using NUnit.Framework;
using SapaGpu.Tests;

namespace SapaGpu.Segmentation.Tests;

[TestFixture]
internal sealed class ResumeTests
{
    private static readonly TrainingSettings Settings = new() { Epochs = 3, Batch = 2 };

    [Test]
    public void A_stopped_run_ends_as_one_that_was_not(
        [Values(UpsamplingOperator.PixelShuffle, UpsamplingOperator.SapaBilinear)] UpsamplingOperator kind)
    {
        using var folder = new TemporaryFolder();
        var dataset = new DatasetInMemory(
            SmallDataset.Write(folder["squares"]), imageLimit: null, needsValidation: false);
        var key = new RunKey(dataset.Name, kind, HasLaterals: false, Seed: 4);
        var whole = new TrainingRun(key, Settings, dataset, folder["whole"], new StopAt()).Execute(
            CancellationToken.None);

        // Once within the second epoch, once at the beginning of the third.
        foreach (int steps in new[] { 4, 3 })
        {
            using var stop = new CancellationTokenSource();
            var observer = new StopAt { Steps = steps, Stop = stop };
            Assert.That(
                () => new TrainingRun(key, Settings, dataset, folder["parts"], observer).Execute(stop.Token),
                Throws.InstanceOf<OperationCanceledException>());
        }
        var last = new StopAt();
        var parts = new TrainingRun(key, Settings, dataset, folder["parts"], last).Execute(CancellationToken.None);

        Assert.That(last.Taken, Is.EqualTo(3), "steps that were left");
        Assert.That(
            File.ReadAllBytes(new RunFolder(folder["parts"], key).Weights),
            Is.EqualTo(File.ReadAllBytes(new RunFolder(folder["whole"], key).Weights)));
        Assert.That(parts.Epochs.Select(epoch => epoch.Loss), Is.EqualTo(whole.Epochs.Select(epoch => epoch.Loss)));
        Assert.That(parts.Test.MeanIoU, Is.EqualTo(whole.Test.MeanIoU));
        Assert.That(parts.Test.ClassIoU, Is.EqualTo(whole.Test.ClassIoU));
    }

    [Test]
    public void A_finished_run_is_not_trained_again_and_not_with_other_settings()
    {
        using var folder = new TemporaryFolder();
        var dataset = new DatasetInMemory(
            SmallDataset.Write(folder["squares"]), imageLimit: null, needsValidation: true);
        var key = new RunKey(dataset.Name, UpsamplingOperator.Nearest, HasLaterals: true, Seed: 0);
        var settings = Settings with { Epochs = 1 };
        var first = new TrainingRun(key, settings, dataset, folder["runs"], new StopAt()) { EvaluateEvery = 1 }
            .Execute(CancellationToken.None);
        Assert.That(first.Epochs[0].ValidationMeanIoU, Is.Not.Null);

        var observer = new StopAt();
        var again = new TrainingRun(key, settings, dataset, folder["runs"], observer).Execute(CancellationToken.None);
        Assert.That(observer.Taken, Is.Zero);
        Assert.That(again.Test.MeanIoU, Is.EqualTo(first.Test.MeanIoU));
        Assert.That(RunFolder.Results(folder["runs"]).Single().Key, Is.EqualTo(key));

        var other = new TrainingRun(key, settings with { Epochs = 2, Batch = 3 }, dataset, folder["runs"], observer);
        Assert.That(
            () => other.Execute(CancellationToken.None),
            Throws.ArgumentException.With.Message.Contains("Epochs 2 instead of 1, Batch 3 instead of 2"));
    }

    /// <summary>Counts steps, and stops after so many of them.</summary>
    private sealed class StopAt : ITrainingObserver
    {
        public int Steps { get; init; } = int.MaxValue;

        public CancellationTokenSource? Stop { get; init; }

        public int Taken { get; private set; }

        public void RunStarted(RunKey key, int stepsTaken, int steps)
        {
        }

        public void StepTaken(RunKey key, int epoch, double loss)
        {
            if (++Taken == Steps)
                Stop!.Cancel();
        }

        public void EpochEnded(RunKey key, int epoch, EpochRecord record)
        {
        }

        public void RunEnded(RunResult result)
        {
        }
    }
}
