namespace SapaGpu.Cli.Guided;

/// <summary>How missing values are told apart from known ones.</summary>
internal static class Unknown
{
    /// <summary>
    /// The share of the weights that known cells must have for a pixel to become known: it is unknown where most of
    /// what it was made of is. Of all shares, this one told known from unknown pixels of measured disparity best.
    /// </summary>
    public const float SmallestKnownShare = 0.5f;

    /// <summary>Whether samples are unknown: every one of them is the mark, which may be NaN.</summary>
    public static bool Is(ReadOnlySpan<float> samples, float? mark)
    {
        if (mark is not { } value)
            return false;
        foreach (float sample in samples)
        {
            if (!sample.Equals(value))
                return false;
        }
        return true;
    }
}
