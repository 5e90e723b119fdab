namespace SapaGpu.Cli.Guided;

/// <summary>
/// Gives missing cells the mean of known cells around them, weighted by similarity of colour and by distance. Holes that
/// are wider than the window close from their edges inwards.
/// </summary>
internal static class HoleFilling
{
    /// <summary>The cells on every side that a missing one is filled from.</summary>
    private const int Reach = 2;

    /// <summary>The standard deviation over distance, in cells.</summary>
    private const double SpaceSigma = 1.5;

    /// <summary>Fills the holes of a map.</summary>
    /// <param name="map">The map, which stays as it is.</param>
    /// <param name="unknown">Tells missing cells.</param>
    /// <param name="guide">The photo, which covers the map.</param>
    /// <param name="colourSigma">The standard deviation over colours.</param>
    /// <returns>A map without holes; null if it has nothing else.</returns>
    public static Raster? Fill(Raster map, UnknownMarks unknown, Photo guide, double colourSigma)
    {
        var filled = new Raster(map.Height, map.Width, map.Channels, [.. map.Values]);
        var known = new bool[map.Height * map.Width];
        for (int i = 0; i < known.Length; i++)
            known[i] = !unknown.Has(map.Values.AsSpan(i * map.Channels, map.Channels));
        if (!known.Contains(true))
            return null;
        var colours = AreaAverage.Shrink(
            guide.Samples, guide.Height, guide.Width, Photo.Channels, map.Height, map.Width);
        int[] candidates = [.. Enumerable.Range(0, known.Length).Where(cell => !known[cell])];
        while (candidates.Length > 0)
        {
            // What is filled in one round counts from the next on, so that the order of cells does not matter.
            var isFilled = new bool[candidates.Length];
            Parallel.For(0, candidates.Length, i => isFilled[i] = FillCell(filled, known, colours, colourSigma, candidates[i]));
            var closed = candidates.Where((_, i) => isFilled[i]).ToList();
            foreach (int cell in closed)
                known[cell] = true;
            candidates = [.. closed.SelectMany(cell => Around(map, cell)).Where(cell => !known[cell]).Distinct()];
        }
        return filled;
    }

    private static IEnumerable<int> Around(Raster map, int cell)
    {
        var around = new Region(cell / map.Width, cell % map.Width, 1, 1).Grow(Reach, map.Height, map.Width);
        for (int row = around.Row; row < around.EndRow; row++)
        {
            for (int column = around.Column; column < around.EndColumn; column++)
                yield return row * map.Width + column;
        }
    }

    private static bool FillCell(Raster map, bool[] known, float[] colours, double colourSigma, int cell)
    {
        var neighbours = new List<(int Cell, double Exponent)>();
        foreach (int other in Around(map, cell))
        {
            if (!known[other])
                continue;
            int down = other / map.Width - cell / map.Width, across = other % map.Width - cell % map.Width;
            double distance = (down * down + across * across) / (SpaceSigma * SpaceSigma);
            double colour = ColourDistance(colours, cell, other) / (colourSigma * colourSigma);
            neighbours.Add((other, -(distance + colour) / 2));
        }
        if (neighbours.Count == 0)
            return false;

        // The largest weight is 1, however little the colours have in common.
        double largest = neighbours.Max(neighbour => neighbour.Exponent);
        double sum = neighbours.Sum(neighbour => Math.Exp(neighbour.Exponent - largest));
        for (int c = 0; c < map.Channels; c++)
        {
            map.Values[cell * map.Channels + c] = (float)neighbours.Sum(neighbour =>
                Math.Exp(neighbour.Exponent - largest) / sum * map.Values[neighbour.Cell * map.Channels + c]);
        }
        return true;
    }

    private static double ColourDistance(float[] colours, int first, int second)
    {
        double sum = 0;
        for (int c = 0; c < Photo.Channels; c++)
        {
            double difference = colours[first * Photo.Channels + c] - colours[second * Photo.Channels + c];
            sum += difference * difference;
        }
        return sum;
    }
}
