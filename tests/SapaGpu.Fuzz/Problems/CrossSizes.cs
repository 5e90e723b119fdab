using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>The options, ranges and sizes of a problem of cross-resolution attention.</summary>
internal sealed class CrossSizes
{
    private readonly ReferenceAxis rows;
    private readonly ReferenceAxis columns;
    private readonly string rules;

    public CrossSizes(Draw draw, Draw kernel)
    {
        var rule = kernel.Enum<CrossRule>();
        var other = kernel.OnceIn(3) ? kernel.Enum<CrossRule>() : rule;

        // Axes that count taps outside count them alike.
        if (rule != other && Counts(rule) && Counts(other))
            other = CrossRule.Table;
        Options = new()
        {
            Heads = kernel.Of(1, 1, 2, 3, 4),
            AveragesHeads = kernel.OnceIn(2),
            ScoreScale = draw.Of(1, 1, 0.75, 0.125, -0.5, 0),
            Normalisation = kernel.OnceIn(2) ? ScoreNormalisation.Softmax : kernel.Enum<ScoreNormalisation>(),
        };
        HasBias = kernel.OnceIn(2);
        var window = (Height: Taps(), Width: Taps());
        long work = Sizes.Work(draw);
        for (int attempt = 0; ; attempt++)
        {
            int images = draw.Of(1, 1, 2, 3);
            var (height, width, outputHeight, outputWidth) = Sizes.Resized(draw, kernel, LargestRatio);
            if (draw.OnceIn(6))
                (height, width, outputHeight, outputWidth) = (outputHeight, outputWidth, height, width);
            var (embedding, value) = (Sizes.Channels(draw), Sizes.Channels(draw));
            if (attempt > 20)
                (images, embedding, value) = (1, draw.Int(1, 2), draw.Int(1, 2));
            if (attempt > 40)
                (height, width, outputHeight, outputWidth) = (draw.Int(1, 5), draw.Int(1, 5), draw.Int(1, 5), draw.Int(1, 5));
            float ratio = draw.Of(0.1f, 0.25f, 0.05f, 1f);
            rows = ReferenceAxis.Of(rule, height, outputHeight, window.Height, ratio, draw.Random);
            columns = ReferenceAxis.Of(other, width, outputWidth, window.Width, ratio, draw.Random);
            long taps = rows.Taps.Sum(row => (long)row.Length) * columns.Taps.Sum(column => (long)column.Length);
            if (attempt <= 60 && images * taps * Options.Heads * (embedding + value) > work)
                continue;
            Key = new(images, Options.Heads * embedding, height, width);
            ValueChannels = Options.AveragesHeads ? value : Options.Heads * value;
            (OutputHeight, OutputWidth) = (outputHeight, outputWidth);
            break;
        }
        rules = rule == other ? $"{rule}" : $"{rule} and {other}";
        if (!(IsWindow(rule) || IsWindow(other)))
            return;
        rules += $" {window.Height}x{window.Width}";

        int Taps() => kernel.Of(1, 2, 3, 3, 4, 5, 7, 9, 15);
    }

    public CrossAttentionOptions Options { get; }

    public bool HasBias { get; }

    public MapShape Key { get; }

    public int ValueChannels { get; }

    public int OutputHeight { get; }

    public int OutputWidth { get; }

    public MapShape Query => new(Key.Batch, Key.Channels, OutputHeight, OutputWidth);

    public MapShape Value => ReferenceMaps.WithChannels(Key, ValueChannels);

    public MapShape Bias => ReferenceMaps.WithChannels(Key, 1);

    public MapShape Output => ReferenceMaps.WithChannels(Query, ValueChannels);

    /// <summary>Gets the taps of every output row and of every output column.</summary>
    public (IReadOnlyList<int?[]> Rows, IReadOnlyList<int?[]> Columns) Taps => (rows.Taps, columns.Taps);

    private static int LargestRatio => OperatorSupport.MaximumScale;

    /// <summary>Makes the ranges, of which devices keep tables as long as somebody knows them.</summary>
    public WindowRanges CreateRanges() => new(rows.Ranges, columns.Ranges);

    /// <summary>Draws a bias that takes some cells away, or all.</summary>
    public ReferenceMap DrawBias(Draw draw)
    {
        var bias = ReferenceMap.Random(draw.Random, Bias, draw.Of(1.0, 1, 8));
        int part = draw.Of(2, 4, 4, 8, 1000);
        bool isEmpty = draw.OnceIn(16);
        for (int i = 0; i < bias.Values.Length; i++)
        {
            if (isEmpty || draw.OnceIn(part))
                bias.Values[i] = double.NegativeInfinity;
        }
        return bias;
    }

    public override string ToString() =>
        $"{rules} {Options.Normalisation} {Options.Heads} heads{(Options.AveragesHeads ? " averaged" : "")}, scores · {Options.ScoreScale}";

    /// <summary>Gets whether the cell at an edge is counted more than once.</summary>
    public bool Repeats => rules.Contains(nameof(CrossRule.Replicate), StringComparison.Ordinal);

    private static bool Counts(CrossRule rule) => rule is CrossRule.ZeroLogit or CrossRule.Replicate;

    private static bool IsWindow(CrossRule rule) => rule < CrossRule.Whole;
}
