namespace SapaGpu.Cli.Guided.Quality;

/// <summary>Edges between regions, and the pixels near them.</summary>
internal static class EdgeBand
{
    /// <summary>The largest distance from an edge, in pixels, that counts as near.</summary>
    public const int Tolerance = 3;

    /// <summary>Marks the pixels that differ from their right or lower neighbour.</summary>
    public static bool[] Edges<T>(ReadOnlySpan<T> regions, int height, int width)
        where T : IEquatable<T>
    {
        var edges = new bool[regions.Length];
        for (int y = 0, i = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++, i++)
            {
                edges[i] = (x + 1 < width && !regions[i].Equals(regions[i + 1]))
                    || (y + 1 < height && !regions[i].Equals(regions[i + width]));
            }
        }
        return edges;
    }

    /// <summary>Marks the pixels at most <see cref="Tolerance"/> away from a marked one.</summary>
    public static bool[] Near(bool[] marks, int height, int width)
    {
        var near = new bool[marks.Length];
        for (int y = 0, i = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++, i++)
            {
                if (marks[i])
                    MarkDisc(near, height, width, y, x);
            }
        }
        return near;
    }

    private static void MarkDisc(bool[] near, int height, int width, int y, int x)
    {
        for (int row = Math.Max(0, y - Tolerance); row <= Math.Min(height - 1, y + Tolerance); row++)
        {
            int reach = (int)Math.Sqrt(Tolerance * Tolerance - (row - y) * (row - y));
            int first = Math.Max(0, x - reach), last = Math.Min(width - 1, x + reach);
            near.AsSpan(row * width + first, last - first + 1).Fill(true);
        }
    }

    /// <summary>
    /// The boundary F-measure: the harmonic mean of precision and recall, the fractions of found edges near true ones
    /// and of true edges near found ones. Either is 1 if it has no edges.
    /// </summary>
    /// <param name="edges">The true edges.</param>
    /// <param name="nearEdges">The pixels <see cref="Near"/> the true edges.</param>
    /// <param name="found">The edges that were found.</param>
    /// <param name="nearFound">The pixels near the found edges.</param>
    public static double Agreement(bool[] edges, bool[] nearEdges, bool[] found, bool[] nearFound)
    {
        double precision = ShareWithin(found, nearEdges);
        double recall = ShareWithin(edges, nearFound);
        return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
    }

    private static double ShareWithin(bool[] marks, bool[] area)
    {
        long inside = 0, all = 0;
        for (int i = 0; i < marks.Length; i++)
        {
            all += marks[i] ? 1 : 0;
            inside += marks[i] && area[i] ? 1 : 0;
        }
        return all == 0 ? 1 : (double)inside / all;
    }
}
