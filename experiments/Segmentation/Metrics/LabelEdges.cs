namespace SapaGpu.Segmentation;

/// <summary>Where classes meet.</summary>
internal static class LabelEdges
{
    /// <summary>
    /// Marks the pixels of a class that have a pixel of another class above, below, left or right. Where a class meets
    /// void there is no edge: nobody knows what is behind it.
    /// </summary>
    /// <param name="labels">The classes; everything from <paramref name="classes"/> on is void.</param>
    /// <param name="classes">How many classes there are.</param>
    /// <param name="height">The rows.</param>
    /// <param name="width">The columns.</param>
    public static bool[] Find(ReadOnlySpan<byte> labels, int classes, int height, int width)
    {
        var edges = new bool[labels.Length];
        for (int y = 0, i = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++, i++)
            {
                if (x + 1 < width)
                    MarkIfApart(labels, classes, edges, i, i + 1);
                if (y + 1 < height)
                    MarkIfApart(labels, classes, edges, i, i + width);
            }
        }
        return edges;
    }

    private static void MarkIfApart(ReadOnlySpan<byte> labels, int classes, bool[] edges, int first, int second)
    {
        if (labels[first] == labels[second] || labels[first] >= classes || labels[second] >= classes)
            return;
        edges[first] = true;
        edges[second] = true;
    }
}
