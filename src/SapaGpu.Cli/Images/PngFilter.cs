namespace SapaGpu.Cli.Images;

/// <summary>The filters of PNG rows, for pixels of at most one byte.</summary>
/// <remarks>W3C, <i>Portable Network Graphics Specification</i>, third edition: section 9.</remarks>
internal static class PngFilter
{
    /// <summary>Undoes the filter of a row in place.</summary>
    /// <param name="filter">The number of the filter.</param>
    /// <param name="line">The row.</param>
    /// <param name="above">The row above, unfiltered; zeros above the first.</param>
    /// <exception cref="InvalidDataException">There is no such filter.</exception>
    public static void Undo(byte filter, Span<byte> line, ReadOnlySpan<byte> above)
    {
        if (filter > 4)
            throw new InvalidDataException($"a row has the unknown filter {filter}");
        for (int i = 0; i < line.Length; i++)
        {
            byte left = i > 0 ? line[i - 1] : (byte)0;
            byte corner = i > 0 ? above[i - 1] : (byte)0;
            line[i] += filter switch
            {
                1 => left,
                2 => above[i],
                3 => (byte)((left + above[i]) / 2),
                4 => Paeth(left, above[i], corner),
                _ => 0,
            };
        }
    }

    private static byte Paeth(byte left, byte above, byte corner)
    {
        int estimate = left + above - corner;
        int toLeft = Math.Abs(estimate - left), toAbove = Math.Abs(estimate - above);
        int toCorner = Math.Abs(estimate - corner);
        if (toLeft <= toAbove && toLeft <= toCorner)
            return left;
        return toAbove <= toCorner ? above : corner;
    }
}
