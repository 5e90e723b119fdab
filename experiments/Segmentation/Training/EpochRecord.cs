namespace SapaGpu.Segmentation;

/// <summary>What is kept of an epoch.</summary>
/// <param name="Loss">The mean of the loss over its steps.</param>
/// <param name="StepMilliseconds">The median time of a step.</param>
/// <param name="ValidationMeanIoU">
/// The mean intersection over union on the validation split, if it was asked for.
/// </param>
internal sealed record EpochRecord(double Loss, double StepMilliseconds, double? ValidationMeanIoU);
