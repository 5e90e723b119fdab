namespace SapaGpu.Workloads;

/// <summary>One upsampling of a workload.</summary>
/// <param name="Batch">B, the images.</param>
/// <param name="Channels">C, the channels that are upsampled.</param>
/// <param name="Height">H, the rows of the decoder map.</param>
/// <param name="Width">W, the columns of the decoder map.</param>
/// <param name="Scale">The ratio of the output to the decoder map.</param>
/// <param name="Window">K, the width of the window.</param>
/// <param name="Embedding">D, the channels that are compared.</param>
/// <param name="EncoderChannels">The channels of the encoder map that guides a module.</param>
/// <param name="Heads">The heads of the attention.</param>
/// <param name="Part">
/// The part of the map that a point sees to either side, its weights averaged over the heads; 0 for windows, moved inside the map.
/// Of cross-resolution attention only.
/// </param>
internal sealed record Stage(
    int Batch,
    int Channels,
    int Height,
    int Width,
    int Scale = 2,
    int Window = 5,
    int Embedding = 64,
    int EncoderChannels = 256,
    int Heads = 1,
    float Part = 0)
{
    /// <summary>Gets the shapes of all operands of the attention.</summary>
    public WindowShape Shape => new(Batch, Height, Width, Window, Scale, Embedding, Channels);

    /// <summary>Gets the shape of the encoder map.</summary>
    public MapShape EncoderShape => new(Batch, EncoderChannels, Height * Scale, Width * Scale);

    /// <summary>Gets the options of the attention.</summary>
    public WindowAttentionOptions Options => new() { Window = Window, Heads = Heads };

    /// <summary>Gets what the points of cross-resolution attention see.</summary>
    public WindowRanges Ranges => Part > 0
        ? WindowRanges.Ratio(Height, Width, Height * Scale, Width * Scale, Part)
        : WindowRanges.Window(
            Height, Width, Height * Scale, Width * Scale, Window, Window, BorderRule.Shifted);

    /// <summary>Gets the options of cross-resolution attention.</summary>
    public CrossAttentionOptions CrossOptions =>
        new() { Heads = Heads, AveragesHeads = Part > 0, ScoreScale = 1 / Math.Sqrt(Embedding / Heads) };

    /// <summary>Gets the options of SAPA-D.</summary>
    public SapaDeformableOptions DeformableAttentionOptions => new()
    {
        EncoderChannels = EncoderChannels,
        DecoderChannels = Channels,
        Scale = Scale,
        Groups = DeformableStage.Groups,
        Points = DeformableStage.Points,
        EmbeddingChannels = Embedding / DeformableStage.Groups,
    };

    /// <summary>The options of a SAPA module; the inner product compares as many encoder as decoder channels.</summary>
    public SapaOptions SapaOptions(Similarity similarity) => new()
    {
        EncoderChannels = similarity == Similarity.InnerProduct ? Channels : EncoderChannels,
        DecoderChannels = Channels,
        EmbeddingChannels = Embedding,
        Window = Window,
        Similarity = similarity,
    };
}

/// <summary>A named problem of real use: the upsamplings that one network does for one batch.</summary>
/// <param name="Name">The name on the command line.</param>
/// <param name="Description">What it stands for.</param>
/// <param name="Stages">The upsamplings.</param>
internal sealed record Workload(string Name, string Description, params IReadOnlyList<Stage> Stages)
{
    /// <summary>Gets the workload that the papers count operations for.</summary>
    public static Workload W0 { get; } = new(
        "W0", "256 channels of 120x120 cells, ratio 2", new Stage(1, 256, 120, 120));

    /// <summary>Gets one doubling of ordinary size, for comparisons with a matrix multiplication.</summary>
    public static Workload Medium { get; } = new(
        "medium", "256 channels of 64x64 cells, ratio 2", new Stage(1, 256, 64, 64));

    /// <summary>Gets one whose instructions a simulated device can count: so small that borders count as well.</summary>
    public static Workload Counted { get; } = new(
        "counted", "256 channels of 24x24 cells, ratio 2", new Stage(1, 256, 24, 24));

    /// <summary>Gets one that is for trying the measurement itself, on a device however slow.</summary>
    public static Workload Tiny { get; } = new(
        "tiny",
        "two images of 16 channels of 6x6 cells, ratio 2",
        new Stage(2, 16, 6, 6, Embedding: 16, EncoderChannels: 16));

    /// <summary>Gets every workload.</summary>
    public static IReadOnlyList<Workload> All { get; } =
    [
        W0,
        new(
            "segformer",
            "the six doublings of SegFormer-B1 with 256 channels at 512x512",
            new Stage(1, 256, 16, 16, EncoderChannels: 320),
            new Stage(1, 256, 32, 32, EncoderChannels: 128),
            new Stage(1, 256, 64, 64, EncoderChannels: 64),
            new Stage(1, 256, 32, 32, EncoderChannels: 128),
            new Stage(1, 256, 64, 64, EncoderChannels: 64),
            new Stage(1, 256, 64, 64, EncoderChannels: 64)),
        new(
            "fpn",
            "the three doublings of a feature pyramid with 256 channels at 1333x800",
            new Stage(1, 256, 25, 42),
            new Stage(1, 256, 50, 84),
            new Stage(1, 256, 100, 168)),
        Medium,
        new("W1-x2", "384 channels of 28x28 cells, 9x9 windows, 4 heads, ratio 2", Backbone(2)),
        new("W1-x4", "the same, ratio 4", Backbone(4)),
        new("W1-x8", "the same, ratio 8", Backbone(8)),
        new("W1-x16", "the same, ratio 16", Backbone(16)),
        new(
            "naf-x8",
            "NAF: 384 channels of 28x28 cells, 9x9 windows, 4 heads of 64, ratio 8",
            Naf(8)),
        new("naf-x16", "the same, ratio 16", Naf(16)),
        new(
            "naf-counted",
            "NAF on 10x10 cells, ratio 8, for a simulated device to count",
            Naf(8) with { Height = 10, Width = 10 }),
        new(
            "anyup-x16",
            "AnyUp: 768 channels of 32x32 cells, a tenth of the map to either side, 4 heads of 32 averaged, ratio 16",
            new Stage(1, 768, 32, 32, 16, Window: 7, Embedding: 128, EncoderChannels: 128, Heads: 4, Part: 0.1f)),
        new("small", "16 images of 256 channels of 8x8 cells, ratio 2", new Stage(16, 256, 8, 8)),
        Counted,
        Tiny,
    ];

    /// <summary>Finds a workload by its name.</summary>
    /// <exception cref="ArgumentException">There is none; the message lists the names.</exception>
    public static Workload Find(string name) =>
        All.FirstOrDefault(known => string.Equals(known.Name, name, StringComparison.OrdinalIgnoreCase))
            ?? throw new ArgumentException(
                $"There is no workload '{name}'; there are {string.Join(", ", All.Select(known => known.Name))}.");

    private static Stage Naf(int scale) =>
        new(1, 384, 28, 28, scale, Window: 9, Embedding: 256, EncoderChannels: 256, Heads: 4);

    private static Stage Backbone(int scale) =>
        new(1, 384, 28, 28, scale, Window: 9, Embedding: 128, EncoderChannels: 128, Heads: 4);
}
