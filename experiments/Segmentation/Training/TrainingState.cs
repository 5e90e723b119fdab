using System.Text;
using TorchSharp;
using TorchSharp.Modules;

namespace SapaGpu.Segmentation;

/// <summary>Everything that changes while a network is trained.</summary>
internal sealed class TrainingState : IDisposable
{
    private const double LearningRatePower = 0.9;

    private readonly TrainingSettings settings;
    private readonly AdamW optimizer;
    private readonly List<EpochRecord> epochs = [];

    /// <summary>The state before the first step.</summary>
    public TrainingState(RunKey key, TrainingSettings settings, int classes)
    {
        this.settings = settings;
        Network = new SegmentationNetwork(classes, key.Operator, key.HasLaterals, key.Seed, settings.Window);
        var parameters = Network.parameters().ToLookup(IsDecayed);
        optimizer = torch.optim.AdamW(
            [
                new AdamW.ParamGroup(parameters[true], lr: settings.LearningRate, weight_decay: settings.WeightDecay),
                new AdamW.ParamGroup(parameters[false], lr: settings.LearningRate, weight_decay: 0),
            ],
            lr: settings.LearningRate);
    }

    /// <summary>Gets the network.</summary>
    public SegmentationNetwork Network { get; }

    /// <summary>Gets the epochs that have ended.</summary>
    public IReadOnlyList<EpochRecord> Epochs => epochs;

    /// <summary>Takes a step, and gives its loss.</summary>
    /// <param name="progress">The share of all steps that lies behind.</param>
    /// <param name="computeLoss">The loss of the network.</param>
    public double Step(double progress, Func<SegmentationNetwork, torch.Tensor> computeLoss)
    {
        double rate = settings.LearningRate * Math.Pow(1 - progress, LearningRatePower);
        foreach (var group in optimizer.ParamGroups)
            group.LearningRate = rate;
        optimizer.zero_grad();
        using var loss = computeLoss(Network);
        loss.backward();
        optimizer.step();
        return loss.item<float>();
    }

    /// <summary>Notes that an epoch has ended.</summary>
    public void EndEpoch(EpochRecord epoch) => epochs.Add(epoch);

    /// <summary>Writes the state into a file.</summary>
    public void Save(string path) => AtomicFile.Write(path, stream =>
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(epochs.Count);
        foreach (var epoch in epochs)
        {
            writer.Write(epoch.Loss);
            writer.Write(epoch.StepMilliseconds);
            writer.Write(epoch.ValidationMeanIoU ?? double.NaN);
        }
        Network.save(writer);
        optimizer.save_state_dict(writer);
    });

    /// <summary>Reads the state from a file.</summary>
    public void Load(string path)
    {
        using var reader = new BinaryReader(File.OpenRead(path));
        int count = reader.ReadInt32();
        epochs.Clear();
        for (int i = 0; i < count; i++)
        {
            double loss = reader.ReadDouble(), milliseconds = reader.ReadDouble(), validation = reader.ReadDouble();
            epochs.Add(new EpochRecord(loss, milliseconds, double.IsNaN(validation) ? null : validation));
        }
        Network.load(reader);
        optimizer.load_state_dict(reader);
    }

    public void Dispose()
    {
        optimizer.Dispose();
        Network.Dispose();
    }

    // Norms and biases are not decayed.
    private static bool IsDecayed(torch.Tensor parameter) => parameter.dim() > 1;
}
