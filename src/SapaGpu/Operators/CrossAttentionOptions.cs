using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>What cross-resolution attention does with scores and heads.</summary>
public sealed record CrossAttentionOptions
{
    /// <summary>Gets the options with one head and scores that are the inner products.</summary>
    public static CrossAttentionOptions Default { get; } = new();

    /// <summary>Gets the heads h, a divisor of the channels of query and key.</summary>
    public int Heads { get; init; } = 1;

    /// <summary>
    /// Gets whether the weights are averaged over the heads, and the average weighs every channel of the value, as in AnyUp.
    /// Otherwise every head weighs channels of its own, C/h of them.
    /// </summary>
    public bool AveragesHeads { get; init; }

    /// <summary>Gets what inner products are multiplied by, such as 1/√D.</summary>
    public double ScoreScale { get; init; } = 1.0;

    /// <summary>Gets how scores become weights.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not defined.</exception>
    public ScoreNormalisation Normalisation
    {
        get; init =>
        field = EnumChecks.Defined(value);
    } = ScoreNormalisation.Softmax;

    /// <summary>Returns the options as error messages show them.</summary>
    internal string Describe() =>
        $"heads {Heads}{(AveragesHeads ? " averaged" : string.Empty)}, score scale {ScoreScale:R}, normalisation {Normalisation}";
}
