namespace SapaGpu.Tests.Operators;

/// <summary>The sizes of a window problem that a test runs.</summary>
public sealed record WindowProblem(
    int Batch, int Height, int Width, int Window, int Scale, int EmbeddingChannels, int ValueChannels)
{
    /// <summary>
    /// Gets sizes that meet every path: fast and general windows and scales, quads that are full and not, channels
    /// below a vector, between vectors and whole packs of four, maps smaller than the window, one cell, and strips that
    /// end inside a vector.
    /// </summary>
    public static IEnumerable<WindowProblem> All =>
    [
        new(1, 1, 1, 5, 2, 3, 5),
        new(2, 3, 5, 3, 2, 8, 4),
        new(1, 5, 4, 5, 2, 16, 20),
        new(1, 4, 19, 7, 2, 4, 33),
        new(1, 3, 4, 5, 3, 6, 64),
        new(1, 2, 3, 3, 4, 5, 1),
        new(2, 4, 3, 1, 1, 1, 2),
        new(1, 2, 2, 15, 1, 4, 8),
        new(1, 1, 2, 3, 16, 2, 4),
        new(1, 9, 1, 9, 2, 12, 12),
        new(1, 3, 35, 5, 2, 68, 7),
        new(1, 5, 35, 5, 2, 20, 24),
    ];

    /// <summary>Gets the sizes that gradients are checked on; every element costs a forward of the reference.</summary>
    public static IEnumerable<WindowProblem> Small =>
    [
        new(1, 2, 3, 3, 2, 4, 4),
        new(2, 1, 2, 5, 2, 3, 2),
        new(1, 3, 2, 7, 1, 2, 3),
        new(1, 2, 2, 3, 3, 1, 5),
        new(1, 3, 4, 3, 2, 2, 3),
        new(1, 2, 2, 3, 4, 4, 1),
    ];

    public WindowShape Shape => new(Batch, Height, Width, Window, Scale, EmbeddingChannels, ValueChannels);

    /// <summary>
    /// Whether windows that are moved inside the map, where the border asks for that, have room in it.
    /// </summary>
    public bool Fits(BorderRule border) => border != BorderRule.Shifted || Window <= Math.Min(Height, Width);

    public override string ToString() =>
        $"B{Batch} {Height}x{Width} K{Window} s{Scale} D{EmbeddingChannels} C{ValueChannels}";
}
