namespace SapaGpu.Guided;

/// <summary>Decides the class of a pixel by the weights of the classes.</summary>
internal static class ClassDecision
{
    /// <summary>
    /// The channel of the largest weight, the first of equal ones. That of missing values has to have more than half of the
    /// weight, and then wins.
    /// </summary>
    /// <param name="weights">The weights of the classes.</param>
    /// <param name="unknownChannel">The channel of missing values; -1 for none.</param>
    public static int Winner(ReadOnlySpan<float> weights, int unknownChannel)
    {
        int winner = -1;
        for (int i = 0; i < weights.Length; i++)
        {
            if (i == unknownChannel)
            {
                if (weights[i] > 1 - Unknown.SmallestKnownShare)
                    return i;
            }
            else if (winner < 0 || weights[i] > weights[winner])
            {
                winner = i;
            }
        }
        return Math.Max(winner, 0);
    }
}
