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
        int channels = key.Shape.Channels / options.Heads;
        int valueChannels = options.AveragesHeads ? value.Shape.Channels : value.Shape.Channels / options.Heads;
        (int? Row, int? Column)[] taps = [.. rows.SelectMany(row => columns.Select(column => (row, column)))];
        for (int head = 0; head < options.Heads; head++)
        {
            var seen = new List<(Dual Score, int Row, int Column)>();
            int outside = 0;
            foreach (var (row, column) in taps)
            {
                if (row is null || column is null)
                {
                    outside++;
                    continue;
                }
                Dual added = bias is null ? 0 : bias[b, 0, row.Value, column.Value];
                if (double.IsNegativeInfinity(added.Value))
                    continue;
                Dual score = 0;
                for (int c = head * channels; c < (head + 1) * channels; c++)
                    score += query[b, c, y, x] * key[b, c, row.Value, column.Value];
                seen.Add((score * options.ScoreScale + added, row.Value, column.Value));
            }
            double largest = seen.Select(tap => tap.Score.Value).Append(outside > 0 ? 0 : double.MinValue).Max();
            Dual Unnormalised(Dual score) => options.Normalisation switch
            {
                ScoreNormalisation.Softmax => Dual.Exp(score - largest),
                ScoreNormalisation.Sigmoid => Dual.Sigmoid(score),
                _ => score,
            };
            Dual sum = outside * Unnormalised(0);
            foreach (var (score, _, _) in seen)
                sum += Unnormalised(score);

            // A score of −∞ weighs nothing, even beside none that does.
            if (sum.Value == 0 || options.Normalisation == ScoreNormalisation.None)
                sum = 1;
            foreach (var (score, row, column) in seen)
            {
                var weight = Unnormalised(score) / sum / (options.AveragesHeads ? options.Heads : 1);
                int first = options.AveragesHeads ? 0 : head * valueChannels;
                for (int c = first; c < first + valueChannels; c++)
                    output[b, c, y, x] += weight * value[b, c, row, column];
            }
        }
    }
}
