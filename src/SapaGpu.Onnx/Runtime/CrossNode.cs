namespace SapaGpu.Onnx.Runtime;

/// <summary>What a node of cross-resolution attention computes, at any sizes.</summary>
/// <param name="Border">The border of a window; null for none.</param>
/// <param name="KernelHeight">The rows of the window.</param>
/// <param name="KernelWidth">The columns of the window.</param>
/// <param name="Ratio">Without a window, the part of an axis that a point sees to either side; null for the whole map.</param>
/// <param name="Options">Heads, score scale and normalisation.</param>
internal sealed record CrossNode(
    BorderRule? Border, int KernelHeight, int KernelWidth, float? Ratio, CrossAttentionOptions Options)
{
    /// <summary>The cells that points of a query see.</summary>
    /// <exception cref="ArgumentException">The window or the ratio is not positive.</exception>
    public WindowRanges Ranges(MapShape query, MapShape key)
    {
        if (Border is { } border)
        {
            return WindowRanges.Window(
                key.Height, key.Width, query.Height, query.Width, KernelHeight, KernelWidth, border);
        }
        return Ratio is { } ratio
            ? WindowRanges.Ratio(key.Height, key.Width, query.Height, query.Width, ratio)
            : WindowRanges.Whole(key.Height, key.Width, query.Height, query.Width);
    }
}
