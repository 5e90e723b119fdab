namespace SapaGpu.Tests;

/// <summary>Attention over points that move with the query, in plain loops, written from its definition.</summary>
public static class ReferencePoints
{
    public static ReferenceMap Scores(
        ReferenceMap query, ReferenceMap key, ReferenceMap offsets, int groups, int points)
    {
        int channels = key.Shape.Channels / groups;
        return ReferenceMaps.Build(ReferenceMaps.WithChannels(offsets.Shape, groups * points), (b, point, y, x) =>
        {
            var (row, column) = Place(offsets, key.Shape, b, point, y, x);
            Dual sum = 0;
            for (int c = point / points * channels; c < (point / points + 1) * channels; c++)
                sum += query[b, c, y, x] * Sample(key, b, c, row, column);
            return sum;
        });
    }

    public static ReferenceMap Reassemble(
        ReferenceMap weights, ReferenceMap value, ReferenceMap offsets, int groups, int points)
    {
        int channels = value.Shape.Channels / groups;
        return ReferenceMaps.Build(ReferenceMaps.WithChannels(offsets.Shape, value.Shape.Channels), (b, c, y, x) =>
        {
            Dual sum = 0;
            for (int point = c / channels * points; point < (c / channels + 1) * points; point++)
            {
                var (row, column) = Place(offsets, value.Shape, b, point, y, x);
                sum += weights[b, point, y, x] * Sample(value, b, c, row, column);
            }
            return sum;
        });
    }

    public static ReferenceMap Attention(
        ReferenceMap query, ReferenceMap key, ReferenceMap value, ReferenceMap offsets, int groups, int points) =>
        Reassemble(Softmax(Scores(query, key, offsets, groups, points), points), value, offsets, groups, points);

    /// <summary>Softmax over every so many channels.</summary>
    public static ReferenceMap Softmax(ReferenceMap scores, int count) =>
        ReferenceMaps.Build(scores.Shape, (b, c, y, x) =>
        {
            int first = c / count * count;
            double maximum = double.NegativeInfinity;
            for (int i = first; i < first + count; i++)
                maximum = Math.Max(maximum, scores[b, i, y, x].Value);
            Dual sum = 0;
            for (int i = first; i < first + count; i++)
                sum += Dual.Exp(scores[b, i, y, x] - maximum);
            return Dual.Exp(scores[b, c, y, x] - maximum) / sum;
        });

    /// <summary>Where a point lies, in cells; points count on through the groups.</summary>
    public static (Dual Row, Dual Column) Place(
        ReferenceMap offsets, MapShape map, int b, int point, int y, int x) =>
        (y * map.Height / offsets.Shape.Height + offsets[b, 2 * point + 1, y, x],
         x * map.Width / offsets.Shape.Width + offsets[b, 2 * point, y, x]);

    private static Dual Sample(ReferenceMap map, int b, int c, Dual row, Dual column)
    {
        if (!(row.Value > -1 && row.Value < map.Shape.Height && column.Value > -1 && column.Value < map.Shape.Width))
            return 0;
        int top = (int)Math.Floor(row.Value);
        int left = (int)Math.Floor(column.Value);
        var down = row - top;
        var across = column - left;
        return (1 - down) * ((1 - across) * Cell(top, left) + across * Cell(top, left + 1))
            + down * ((1 - across) * Cell(top + 1, left) + across * Cell(top + 1, left + 1));

        Dual Cell(int y, int x) => map.Holds(y, x) ? map[b, c, y, x] : 0;
    }
}
