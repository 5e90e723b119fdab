namespace SapaGpu.Guided;

/// <summary>Distinguishes missing values from known ones.</summary>
internal static class Unknown
{
    /// <summary>
    /// The fraction of the weight that known cells must have for a pixel to be known. This value separated known from
    /// unknown pixels of measured disparity maps best.
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
