namespace SapaGpu.Segmentation;

/// <summary>A finished run.</summary>
/// <param name="Key">Which network was trained on what.</param>
/// <param name="Settings">How it was trained.</param>
/// <param name="Classes">The names of the classes.</param>
/// <param name="Parameters">The trained numbers of the network.</param>
/// <param name="UpsamplerParameters">Those of them that belong to the upsamplers.</param>
/// <param name="StepMilliseconds">
/// The median over the epochs of the median time of a step: forward, loss, backward and the change of the weights.
/// </param>
/// <param name="Epochs">The course of the training.</param>
/// <param name="Test">The scores on the test split after the last epoch.</param>
internal sealed record RunResult(
    RunKey Key,
    TrainingSettings Settings,
    IReadOnlyList<string> Classes,
    long Parameters,
    long UpsamplerParameters,
    double StepMilliseconds,
    IReadOnlyList<EpochRecord> Epochs,
    SegmentationScores Test);
