namespace SapaGpu.Tests.Operators;

/// <summary>
/// Neighbourhood attention with dilation, written from its definition (Hassani and Shi, <i>Dilated Neighborhood
/// Attention Transformer</i>, 2022): query, key and value have one size; the neighbours of a query are those of its own
/// residue modulo the dilation, and its window is moved until it lies inside the map of that residue.
/// </summary>
public static class NeighbourhoodReference
{
    public static ReferenceMap Attention(
        ReferenceMap query, ReferenceMap key, ReferenceMap value, int kernel, int dilation)
    {
        var shape = query.Shape;
        var output = new ReferenceMap(new MapShape(shape.Batch, value.Shape.Channels, shape.Height, shape.Width));
        for (int b = 0; b < shape.Batch; b++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                for (int x = 0; x < shape.Width; x++)
                {
                    var neighbours =
                        from row in Neighbours(y, shape.Height, kernel, dilation)
                        from column in Neighbours(x, shape.Width, kernel, dilation)
                        select (row, column);
                    Attend(query, key, value, output, (b, y, x), [.. neighbours]);
                }
            }
        }
        return output;
    }

    /// <summary>Every cell repeated in a square of scale × scale.</summary>
    public static ReferenceMap Repeat(ReferenceMap map, int scale)
    {
        var repeated = new ReferenceMap(new MapShape(
            map.Shape.Batch, map.Shape.Channels, map.Shape.Height * scale, map.Shape.Width * scale));
        for (int i = 0; i < map.Values.Length; i++)
        {
            int x = i % map.Shape.Width;
            int y = i / map.Shape.Width % map.Shape.Height;
            int c = i / map.Shape.Width / map.Shape.Height % map.Shape.Channels;
            int b = i / map.Shape.Width / map.Shape.Height / map.Shape.Channels;
            for (int dy = 0; dy < scale; dy++)
            {
                for (int dx = 0; dx < scale; dx++)
                    repeated[b, c, y * scale + dy, x * scale + dx] = map.Values[i];
            }
        }
        return repeated;
    }

    // The positions of an axis that a query attends to.
    private static List<int> Neighbours(int position, int length, int kernel, int dilation)
    {
        var residue = new List<int>();
        for (int other = position % dilation; other < length; other += dilation)
            residue.Add(other);
        int start = residue.IndexOf(position) - kernel / 2;
        while (start < 0)
            start++;
        while (start + kernel > residue.Count)
            start--;
        return residue.GetRange(start, kernel);
    }

    private static void Attend(
        ReferenceMap query,
        ReferenceMap key,
        ReferenceMap value,
        ReferenceMap output,
        (int B, int Y, int X) at,
        (int Row, int Column)[] neighbours)
    {
        var powers = new Dual[neighbours.Length];
        Dual sum = 0;
        for (int i = 0; i < neighbours.Length; i++)
        {
            Dual score = 0;
            for (int c = 0; c < query.Shape.Channels; c++)
                score += query[at.B, c, at.Y, at.X] * key[at.B, c, neighbours[i].Row, neighbours[i].Column];
            powers[i] = Dual.Exp(score);
            sum += powers[i];
        }
        for (int i = 0; i < neighbours.Length; i++)
        {
            for (int c = 0; c < value.Shape.Channels; c++)
            {
                output[at.B, c, at.Y, at.X] +=
                    powers[i] / sum * value[at.B, c, neighbours[i].Row, neighbours[i].Column];
            }
        }
    }
}
