namespace SapaGpu.Segmentation;

/// <summary>How good the predictions for a split are, without the pixels that are void.</summary>
/// <param name="MeanIoU">The mean over classes of intersection over union, counted over all images.</param>
/// <param name="EdgeMeanIoU">The same of the pixels near the edges of the truth.</param>
/// <param name="BoundaryF">The boundary F1 score.</param>
/// <param name="ClassIoU">Intersection over union of every class; null for one that is neither there nor found.</param>
internal sealed record SegmentationScores(
    double MeanIoU, double EdgeMeanIoU, double BoundaryF, IReadOnlyList<double?> ClassIoU);
