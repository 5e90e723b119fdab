namespace SapaGpu.Tests;

/// <summary>
/// The derivative of cross-resolution attention where its operands move in given directions, in plain loops: with unnormalised weights
/// p of scores s, p′ their derivatives, S their sum and w = p/S, Σ (p′/S·ds − w·Σ p′/S·ds)·value + Σ w·dvalue. Derivatives of its product
/// with a gradient are those of the double backward.
/// </summary>
public static class ReferenceCrossTangent
{
    /// <summary>An operand and its direction; null for 0.</summary>
    public readonly record struct Moving(ReferenceMap Map, ReferenceMap? Direction)
    {
        public Dual Step(int b, int c, int y, int x) => Direction is null ? 0 : Direction[b, c, y, x];
    }

    /// <summary>The derivative of the output.</summary>
    public static ReferenceMap Attention(
        Moving query,
        Moving key,
        Moving value,
        Moving? bias,
        IReadOnlyList<int?[]> rows,
        IReadOnlyList<int?[]> columns,
        CrossAttentionOptions options)
    {
        var shape = query.Map.Shape;
        var output = new ReferenceMap(
            new MapShape(shape.Batch, value.Map.Shape.Channels, shape.Height, shape.Width));
        for (int b = 0; b < shape.Batch; b++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                for (int x = 0; x < shape.Width; x++)
                {
                    for (int head = 0; head < options.Heads; head++)
                        Head(query, key, value, bias, rows[y], columns[x], options, output, b, y, x, head);
                }
            }
        }
        return output;
    }

    private static void Head(
        Moving query,
        Moving key,
        Moving value,
        Moving? bias,
        int?[] rows,
        int?[] columns,
        CrossAttentionOptions options,
        ReferenceMap output,
        int b,
        int y,
        int x,
        int head)
    {
        var seen = new List<(Dual Score, Dual Step, int Row, int Column)>();
        int outside = 0;
        int channels = key.Map.Shape.Channels / options.Heads;
        foreach (int? tapRow in rows)
        {
            foreach (int? tapColumn in columns)
            {
                if (tapRow is not { } row || tapColumn is not { } column)
                {
                    outside++;
                    continue;
                }
                Dual added = bias is { } own ? own.Map[b, 0, row, column] : 0;
                if (double.IsNegativeInfinity(added.Value))
                    continue;
                Dual score = 0;
                Dual step = 0;
                for (int c = head * channels; c < (head + 1) * channels; c++)
                {
                    score += query.Map[b, c, y, x] * key.Map[b, c, row, column];
                    step += query.Step(b, c, y, x) * key.Map[b, c, row, column]
                        + query.Map[b, c, y, x] * key.Step(b, c, row, column);
                }
                step = step * options.ScoreScale + (bias?.Step(b, 0, row, column) ?? 0);
                seen.Add((score * options.ScoreScale + added, step, row, column));
            }
        }
        if (seen.Count == 0)
            return;
        double largest = seen.Max(tap => tap.Score.Value);
        if (outside > 0)
            largest = Math.Max(largest, 0);
        bool divides = options.Normalisation != ScoreNormalisation.None;
        Dual sum = outside * Unnormalised(0);
        Dual mean = 0;
        foreach (var (score, step, _, _) in seen)
        {
            sum += Unnormalised(score);
            mean += Slope(score) * step;
        }
        if (!divides)
            sum = 1;
        mean = divides ? mean / sum : 0;
        int all = value.Map.Shape.Channels;
        int first = options.AveragesHeads ? 0 : head * (all / options.Heads);
        int end = options.AveragesHeads ? all : first + all / options.Heads;
        foreach (var (score, step, row, column) in seen)
        {
            var share = 1 / sum / (options.AveragesHeads ? options.Heads : 1);
            var weight = Unnormalised(score) * share;
            var change = Slope(score) * share * step - weight * mean;
            for (int c = first; c < end; c++)
            {
                output[b, c, y, x] +=
                    change * value.Map[b, c, row, column] + weight * value.Step(b, c, row, column);
            }
        }

        Dual Unnormalised(Dual score) => options.Normalisation switch
        {
            ScoreNormalisation.Softmax => Dual.Exp(score - largest),
            ScoreNormalisation.Sigmoid => Dual.Sigmoid(score),
            _ => score,
        };

        Dual Slope(Dual score) => options.Normalisation switch
        {
            ScoreNormalisation.Softmax => Unnormalised(score),
            ScoreNormalisation.Sigmoid => Unnormalised(score) * (1 - Unnormalised(score)),
            _ => 1,
        };
    }
}
