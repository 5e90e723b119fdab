namespace SapaGpu.Segmentation;

/// <summary>What the result of a run depends on beside its key.</summary>
internal sealed record TrainingSettings
{
    /// <summary>Gets how often all training images are seen.</summary>
    public int Epochs { get; init; } = 30;

    /// <summary>Gets the images of a step.</summary>
    public int Batch { get; init; } = 8;

    /// <summary>Gets the learning rate of the first step.</summary>
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Gets the weight decay of convolutions and projections.</summary>
    public double WeightDecay { get; init; } = 1e-2;

    /// <summary>Gets the width of the windows of the operators that have them.</summary>
    public int Window { get; init; } = WindowUpsamplers.PapersWindow;

    /// <summary>Gets the most images of a split; null for all.</summary>
    public int? ImageLimit { get; init; }

    /// <summary>Names the settings that differ from others, with both values.</summary>
    public IReadOnlyList<string> DifferencesFrom(TrainingSettings other) =>
    [
        .. from property in typeof(TrainingSettings).GetProperties()
           let own = property.GetValue(this)
           let others = property.GetValue(other)
           where !Equals(own, others)
           select FormattableString.Invariant($"{property.Name} {own ?? "none"} instead of {others ?? "none"}"),
    ];
}
