namespace SapaGpu.Operators;

/// <summary>
/// Which backwards of window attention run as cross-resolution attention, and the ranges that they then see. Where many queries
/// share a large window, products of matrices keep in the caches what the window programs write to a workspace.
/// </summary>
internal static class WindowsAsRanges
{
    // Pairs of the queries of a cell and the taps of their window, from which products of matrices are faster.
    private const int LeastPairs = 1024;

    private const int LeastScale = 4;

    // Where columns lie side by side, the queries of a rectangle are read in short pieces.
    private const int LeastPairsByRows = 4096;

    private const int MostPositions = 1 << 24;

    private const int KeptRanges = 8;

    private static readonly RangesOfSizes?[] Kept = new RangesOfSizes?[KeptRanges];

    /// <summary>Whether the backward runs as cross-resolution attention. The choice is a measured one.</summary>
    /// <param name="window">The problem.</param>
    /// <param name="query">The query, [B, h·D, OH, OW].</param>
    /// <param name="gradOutput">The gradient of the output, [B, C, OH, OW], or a map of its format.</param>
    public static bool TakeBackward(in HeadedWindow window, FeatureMap query, FeatureMap gradOutput)
    {
        var shape = window.Shape;
        int scale = shape.Scale;
        bool byRows = query.Format == MemoryFormat.Contiguous || gradOutput.Format == MemoryFormat.Contiguous;
        return query.Device.RunsVectorPrograms
            && window.Options.Normalisation == ScoreNormalisation.Softmax
            && window.ValueHeads == window.Heads
            && scale >= LeastScale
            && (long)scale * scale * shape.Window * shape.Window >= (byRows ? LeastPairsByRows : LeastPairs)
            && shape.QueryShape.Height <= MostPositions
            && shape.QueryShape.Width <= MostPositions;
    }

    /// <summary>The ranges of a problem; those of the last sizes are kept.</summary>
    public static WindowRanges Of(in HeadedWindow window)
    {
        var (key, query) = (window.Shape.KeyShape, window.Shape.QueryShape);
        var sizes = new WindowSizes(
            key.Height, key.Width, query.Height, query.Width, window.Shape.Window, window.Options.Border);
        ref var slot = ref Kept[(uint)sizes.GetHashCode() % KeptRanges];
        var kept = Volatile.Read(ref slot);
        if (kept is null || kept.Sizes != sizes)
        {
            kept = new RangesOfSizes(
                sizes,
                WindowRanges.Window(
                    sizes.Height, sizes.Width, sizes.OutputHeight, sizes.OutputWidth, sizes.Window, sizes.Window, sizes.Border));
            Volatile.Write(ref slot, kept);
        }
        return kept.Ranges;
    }

    private readonly record struct WindowSizes(
        int Height, int Width, int OutputHeight, int OutputWidth, int Window, BorderRule Border);

    private sealed record RangesOfSizes(WindowSizes Sizes, WindowRanges Ranges);
}
