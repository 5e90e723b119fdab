namespace SapaGpu.Operators;

/// <summary>What GroupNorm asks of its channels.</summary>
internal static class GroupNorms
{
    public static void Check(int groups, int channels)
    {
        if (groups < 1 || channels % groups != 0)
        {
            throw new ArgumentException(
                $"GroupNorm with {groups} groups asks for channels that are a multiple of {groups}; got {channels}.");
        }
    }
}

/// <summary>What normalisations add to the variance.</summary>
internal static class NormEpsilon
{
    public static void Check(double epsilon)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epsilon);
        if (!double.IsFinite(epsilon))
            throw new ArgumentOutOfRangeException(nameof(epsilon), $"Epsilon must be a finite number; got {epsilon}.");
    }
}
