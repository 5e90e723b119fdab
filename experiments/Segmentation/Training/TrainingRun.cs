using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace SapaGpu.Segmentation;

/// <summary>Trains a network, from its last finished epoch if it was begun before, and scores it.</summary>
internal sealed class TrainingRun(
    RunKey key, TrainingSettings settings, DatasetInMemory dataset, string output, ITrainingObserver observer)
{
    // No class has this index, so that pixels of void are left out of the loss.
    private readonly int ignoreIndex = dataset.Classes.Count;
    private readonly RunFolder folder = new(output, key);

    /// <summary>Gets or sets after how many epochs the validation split is scored; 0 for never.</summary>
    public int EvaluateEvery { get; init; }

    private int StepsOfEpoch => dataset.Train.Count / settings.Batch;

    /// <summary>Trains to the end, unless that was done before.</summary>
    /// <exception cref="OperationCanceledException">
    /// It was stopped; a later call goes on after the last epoch.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// The run was begun with other settings, or there is nothing to train on.
    /// </exception>
    public RunResult Execute(CancellationToken cancellation)
    {
        if (StepsOfEpoch == 0)
        {
            throw new ArgumentException(
                $"{dataset.Name} has {dataset.Train.Count} training images, fewer than a batch of {settings.Batch}.");
        }
        folder.Claim(settings);
        var result = folder.FindResult() ?? Train(cancellation);
        observer.RunEnded(result);
        return result;
    }

    private RunResult Train(CancellationToken cancellation)
    {
        using var scope = torch.NewDisposeScope();
        using var state = new TrainingState(key, settings, dataset.Classes.Count);
        if (File.Exists(folder.Checkpoint))
            state.Load(folder.Checkpoint);
        observer.RunStarted(key, state.Epochs.Count * StepsOfEpoch, settings.Epochs * StepsOfEpoch);
        using var batches = new BatchMaker(dataset.Train, dataset.Statistics);
        for (int epoch = state.Epochs.Count; epoch < settings.Epochs; epoch++)
        {
            var record = TrainEpoch(state, batches, epoch, cancellation);
            state.EndEpoch(record);
            state.Save(folder.Checkpoint);
            observer.EpochEnded(key, epoch, record);
        }
        state.Network.save(folder.Weights);
        var result = new RunResult(
            key,
            settings,
            dataset.Classes,
            state.Network.Parameters,
            state.Network.UpsamplerParameters,
            state.Epochs.Select(epoch => epoch.StepMilliseconds).Median(),
            [.. state.Epochs],
            Score(state.Network, dataset.Test));
        folder.Finish(result);
        return result;
    }

    private EpochRecord TrainEpoch(TrainingState state, BatchMaker batches, int epoch, CancellationToken cancellation)
    {
        var losses = new List<double>();
        var milliseconds = new List<double>();
        var order = new EpochOrder(key.Seed, epoch, dataset.Train.Count);
        using var weights = torch.tensor(dataset.ClassWeights.ToArray());
        foreach (var (indices, isMirrored) in order.Batches(settings.Batch))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = torch.NewDisposeScope();
            var images = batches.Images(indices, isMirrored);
            var labels = batches.Labels(indices, isMirrored);
            double progress = (epoch * StepsOfEpoch + losses.Count) / (double)(settings.Epochs * StepsOfEpoch);
            long begin = Stopwatch.GetTimestamp();
            double loss = state.Step(progress, network =>
                functional.cross_entropy(network.call(images), labels, weights, ignore_index: ignoreIndex));
            milliseconds.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
            losses.Add(loss);
            observer.StepTaken(key, epoch, loss);
        }
        bool isEvaluated = dataset.Validation is not null && EvaluateEvery > 0 && (epoch + 1) % EvaluateEvery == 0;
        return new EpochRecord(
            losses.Average(),
            milliseconds.Median(),
            isEvaluated ? Score(state.Network, dataset.Validation!).MeanIoU : null);
    }

    private SegmentationScores Score(SegmentationNetwork network, ImageSet images)
    {
        using var predictor = new Predictor(images, dataset.Statistics);
        return predictor.Score(network, dataset.Classes.Count, settings.Batch);
    }
}
