namespace SapaGpu.Tests;

/// <summary>Cross-resolution attention in plain loops, from its definition, with the taps of every output listed.</summary>
public static class ReferenceCross
{
    /// <summary>
    /// The taps of every output along an axis: cells, null for one outside that counts with score 0 and value 0.
    /// </summary>
    public static IReadOnlyList<int?[]> Window(int cells, int outputs, int window, BorderRule border) =>
    [
        .. Enumerable.Range(0, outputs).Select(output =>
        {
            int first = (int)((long)output * cells / outputs) - window / 2;
            if (border == BorderRule.Shifted)
                first = Math.Max(0, Math.Min(first, cells - window));
            var taps = new List<int?>();
            for (int cell = first; cell < first + window; cell++)
            {
                bool inside = cell >= 0 && cell < cells;
                if (inside)
                    taps.Add(cell);
                else if (border == BorderRule.Replicate)
                    taps.Add(cell < 0 ? 0 : cells - 1);
                else if (border == BorderRule.ZeroLogit)
                    taps.Add(null);
            }
            return taps.ToArray();
        }),
    ];

    /// <summary>The taps of ranges.</summary>
    public static IReadOnlyList<int?[]> Cells(IEnumerable<(int First, int End)> ranges) =>
        [.. ranges.Select(range => Enumerable.Range(range.First, range.End - range.First).Cast<int?>().ToArray())];

    /// <summary>The output.</summary>
    public static ReferenceMap Attention(
        ReferenceMap query,
        ReferenceMap key,
        ReferenceMap value,
        ReferenceMap? bias,
        IReadOnlyList<int?[]> rows,
        IReadOnlyList<int?[]> columns,
        CrossAttentionOptions options)
    {
        var output = new ReferenceMap(
            new MapShape(query.Shape.Batch, value.Shape.Channels, query.Shape.Height, query.Shape.Width));
        for (int b = 0; b < query.Shape.Batch; b++)
        {
            for (int y = 0; y < query.Shape.Height; y++)
            {
                for (int x = 0; x < query.Shape.Width; x++)
                    Query(query, key, value, bias, rows[y], columns[x], options, output, b, y, x);
            }
        }
        return output;
    }

    // Weights are averaged before they are multiplied: 0·∞ of one head is no number, of their mean it may be one.
    private static void Query(
        ReferenceMap query,
        ReferenceMap key,
        ReferenceMap value,
        ReferenceMap? bias,
        int?[] rows,
        int?[] columns,
        CrossAttentionOptions options,
        ReferenceMap output,
        int b,
        int y,
        int x)
    {
        int sets = options.AveragesHeads ? 1 : options.Heads;
        int heads = options.Heads / sets;
        int valueChannels = value.Shape.Channels / sets;
        (int? Row, int? Column)[] taps = [.. rows.SelectMany(row => columns.Select(column => (row, column)))];
        var cells = taps
            .Where(tap => tap is { Row: not null, Column: not null })
            .Select(tap => (Row: tap.Row!.Value, Column: tap.Column!.Value))
            .Where(cell => bias is null || !double.IsNegativeInfinity(bias[b, 0, cell.Row, cell.Column].Value))
            .ToArray();
        int outside = taps.Count(tap => tap.Row is null || tap.Column is null);
        if (cells.Length == 0)
            return;
        for (int set = 0; set < sets; set++)
        {
            var weights = new Dual[cells.Length];
            for (int head = set * heads; head < (set + 1) * heads; head++)
            {
                var own = Weights([.. cells.Select(cell => Score(head, cell.Row, cell.Column))], outside, options.Normalisation);
                for (int i = 0; i < weights.Length; i++)
                    weights[i] += own[i] / heads;
            }
            for (int i = 0; i < weights.Length; i++)
            {
                for (int c = set * valueChannels; c < (set + 1) * valueChannels; c++)
                    output[b, c, y, x] += weights[i] * value[b, c, cells[i].Row, cells[i].Column];
            }
        }

        Dual Score(int head, int row, int column)
        {
            int channels = key.Shape.Channels / options.Heads;
            Dual score = 0;
            for (int c = head * channels; c < (head + 1) * channels; c++)
                score += query[b, c, y, x] * key[b, c, row, column];
            score *= options.ScoreScale;
            return bias is null ? score : score + bias[b, 0, row, column];
        }
    }

    private static Dual[] Weights(Dual[] scores, int outside, ScoreNormalisation normalisation)
    {
        double largest = scores.Select(score => score.Value).Append(outside > 0 ? 0 : double.MinValue).Max();
        var weights = Array.ConvertAll(scores, Unnormalised);
        if (normalisation == ScoreNormalisation.None)
            return weights;

        // Without a score the largest is so low that the exponential of 0 less it is infinite.
        Dual sum = outside > 0 ? outside * Unnormalised(0) : 0;
        foreach (var weight in weights)
            sum += weight;

        // A score of −∞ weighs nothing, even beside none that does.
        if (sum.Value == 0)
            sum = 1;
        return Array.ConvertAll(weights, weight => weight / sum);

        Dual Unnormalised(Dual score) => normalisation switch
        {
            ScoreNormalisation.Softmax => Dual.Exp(score - largest),
            ScoreNormalisation.Sigmoid => Dual.Sigmoid(score),
            _ => score,
        };
    }
}
