namespace SapaGpu.Tests.Operators;

/// <summary>The sizes of a problem of deformable attention that a test runs; channels are those of a group.</summary>
public sealed record DeformableProblem(
    int Batch,
    int Height,
    int Width,
    int OutputHeight,
    int OutputWidth,
    int Groups,
    int Points,
    int EmbeddingChannels,
    int ValueChannels)
{
    /// <summary>
    /// Gets sizes with one and several groups, points, images and cells, and ratios that are no integers.
    /// </summary>
    public static IEnumerable<DeformableProblem> All =>
    [
        new(1, 2, 3, 4, 6, 2, 3, 2, 2),
        new(2, 1, 1, 3, 2, 1, 4, 3, 1),
        new(1, 3, 2, 5, 3, 4, 1, 1, 2),
        new(2, 2, 2, 2, 2, 1, 2, 5, 3),
    ];

    /// <summary>Gets a problem whose queries fill more than the chunks that they are sorted in.</summary>
    public static DeformableProblem Large { get; } = new(1, 7, 8, 130, 131, 2, 2, 1, 1);

    /// <summary>
    /// Gets a problem with more channels a group than four of the widest vectors and some to spare, and more queries a
    /// row than a run.
    /// </summary>
    public static DeformableProblem Wide { get; } = new(1, 2, 3, 2, 17, 1, 10, 20, 84);

    public DeformableAttentionOptions Options => new() { Groups = Groups, Points = Points };

    public MapShape QueryShape => High(Groups * EmbeddingChannels);

    public MapShape KeyShape => new(Batch, Groups * EmbeddingChannels, Height, Width);

    public MapShape ValueShape => new(Batch, Groups * ValueChannels, Height, Width);

    public MapShape OffsetShape => High(Groups * Points * 2);

    public MapShape WeightsShape => High(Groups * Points);

    public MapShape OutputShape => High(Groups * ValueChannels);

    public override string ToString() =>
        $"B{Batch} {Height}x{Width} to {OutputHeight}x{OutputWidth} G{Groups} P{Points} D{EmbeddingChannels} C{ValueChannels}";

    private MapShape High(int channels) => new(Batch, channels, OutputHeight, OutputWidth);
}
