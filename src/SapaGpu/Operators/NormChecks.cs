namespace SapaGpu.Operators;

/// <summary>Checks the groups of GroupNorm.</summary>
internal static class GroupNorms
{
    public static void Check(int groups, int channels)
    {
        if (groups < 1 || channels % groups != 0)
        {
            throw new ArgumentException(
                $"GroupNorm with {groups} groups: the number of groups must be at least 1 and divide the number of " +
                $"channels, {channels}.");
        }
    }
}

/// <summary>Checks the number that normalisations add to the variance.</summary>
internal static class NormEpsilon
{
    public static void Check(double epsilon)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epsilon);
        if (!double.IsFinite(epsilon))
            throw new ArgumentOutOfRangeException(nameof(epsilon), $"Epsilon must be finite; got {epsilon}.");
    }
}
