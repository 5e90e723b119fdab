namespace SapaGpu.Workloads;

/// <summary>How a stage is upsampled by deformable attention, as in the paper of SAPA-D.</summary>
internal static class DeformableStage
{
    public const int Groups = 4;
    public const int Points = 9;

    /// <summary>Gets the options of the operator.</summary>
    public static DeformableAttentionOptions Options { get; } = new() { Groups = Groups, Points = Points };

    /// <summary>The shape of the offsets: two for every point of every group.</summary>
    public static MapShape OffsetShape(Stage stage)
    {
        var query = stage.Shape.QueryShape;
        return new MapShape(query.Batch, Groups * Points * 2, query.Height, query.Width);
    }
}
