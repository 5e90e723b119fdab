namespace SapaGpu.Tests;

/// <summary>Window attention between maps of any two sizes, in plain loops, written from its definition.</summary>
public static class ReferenceAttention
{
    public static ReferenceMap Attention(
        ReferenceMap query,
        ReferenceMap key,
        ReferenceMap value,
        int window,
        bool masked = false,
        ScoreNormalisation normalisation = ScoreNormalisation.Softmax) =>
        Reassemble(Weights(query, key, window, masked, normalisation), value, groups: 1);

    /// <summary>Every group of channels with window² weights of its own.</summary>
    public static ReferenceMap Reassemble(ReferenceMap weights, ReferenceMap value, int groups)
    {
        int taps = weights.Shape.Channels / groups;
        int window = (int)Math.Sqrt(taps);
        return ReferenceMaps.Build(ReferenceMaps.WithChannels(weights.Shape, value.Shape.Channels), (b, c, y, x) =>
        {
            int group = c / (value.Shape.Channels / groups);
            Dual sum = 0;
            for (int tap = 0; tap < taps; tap++)
            {
                var (row, column) = Cell(weights.Shape, value.Shape, window, tap, y, x);
                if (value.Holds(row, column))
                    sum += weights[b, group * taps + tap, y, x] * value[b, c, row, column];
            }
            return sum;
        });
    }

    private static ReferenceMap Weights(
        ReferenceMap query, ReferenceMap key, int window, bool masked, ScoreNormalisation normalisation)
    {
        int taps = window * window;
        var weights = new ReferenceMap(ReferenceMaps.WithChannels(query.Shape, taps));
        for (int b = 0; b < query.Shape.Batch; b++)
        {
            for (int y = 0; y < query.Shape.Height; y++)
            {
                for (int x = 0; x < query.Shape.Width; x++)
                {
                    var normalised = Normalise(Scores(query, key, window, masked, b, y, x), normalisation);
                    for (int tap = 0; tap < taps; tap++)
                        weights[b, tap, y, x] = normalised[tap];
                }
            }
        }
        return weights;
    }

    // A tap outside has score 0, or none where it is masked.
    private static Dual?[] Scores(ReferenceMap query, ReferenceMap key, int window, bool masked, int b, int y, int x)
    {
        var scores = new Dual?[window * window];
        for (int tap = 0; tap < scores.Length; tap++)
        {
            var (row, column) = Cell(query.Shape, key.Shape, window, tap, y, x);
            bool holds = key.Holds(row, column);
            if (!holds && masked)
                continue;
            Dual sum = 0;
            for (int c = 0; holds && c < query.Shape.Channels; c++)
                sum += query[b, c, y, x] * key[b, c, row, column];
            scores[tap] = sum;
        }
        return scores;
    }

    private static Dual[] Normalise(Dual?[] scores, ScoreNormalisation normalisation)
    {
        if (normalisation == ScoreNormalisation.None)
            return Array.ConvertAll(scores, score => score ?? 0);
        double maximum = scores.Max(score => score?.Value ?? double.NegativeInfinity);
        var powers = Array.ConvertAll(scores, score => score is not { } value
            ? 0
            : normalisation == ScoreNormalisation.Softmax
                ? Dual.Exp(value - maximum)
                : 1 / (1 + Dual.Exp(0 - value)));
        Dual sum = 0;
        foreach (var power in powers)
            sum += power;
        return Array.ConvertAll(powers, power => power / sum);
    }

    private static (int Row, int Column) Cell(MapShape high, MapShape low, int window, int tap, int y, int x) =>
        (y * low.Height / high.Height + tap / window - window / 2,
         x * low.Width / high.Width + tap % window - window / 2);
}
