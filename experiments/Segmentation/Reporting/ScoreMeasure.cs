namespace SapaGpu.Segmentation;

/// <summary>A number that runs are compared by.</summary>
/// <param name="Title">Its name in tables and pictures.</param>
/// <param name="Of">Its value for a run.</param>
internal sealed record ScoreMeasure(string Title, Func<RunResult, double> Of)
{
    /// <summary>Gets the measures in the order of tables.</summary>
    public static IReadOnlyList<ScoreMeasure> All { get; } =
    [
        new("mIoU", result => result.Test.MeanIoU),
        new("mIoU within 3 px of edges", result => result.Test.EdgeMeanIoU),
        new("boundary F, 3 px", result => result.Test.BoundaryF),
    ];
}
