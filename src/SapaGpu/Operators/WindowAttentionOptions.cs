using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>The choices of window attention.</summary>
public sealed record WindowAttentionOptions
{
    /// <summary>
    /// Gets the choices of the SAPA paper: a 5×5 window, softmax, borders by <see cref="BorderRule.ZeroLogit"/>.
    /// </summary>
    public static WindowAttentionOptions Default { get; } = new();

    /// <summary>Gets K, the odd width of the window, from 1 to 15.</summary>
    public int Window { get; init; } = 5;

    /// <summary>Gets what taps outside the decoder map count for.</summary>
    public BorderRule Border { get; init => field = EnumChecks.Defined(value); } = BorderRule.ZeroLogit;

    /// <summary>Gets how scores become weights.</summary>
    public ScoreNormalisation Normalisation
    {
        get; init =>
        field = EnumChecks.Defined(value);
    } = ScoreNormalisation.Softmax;

    /// <summary>
    /// Gets the heads. Query and key have heads·d channels, and every head compares its own d; 1 is the operator of
    /// SAPA.
    /// </summary>
    public int Heads { get; init; } = 1;

    /// <summary>Gets what the heads reassemble.</summary>
    public HeadValue HeadValue { get; init => field = EnumChecks.Defined(value); } = HeadValue.Split;

    /// <summary>The choices in words, for messages.</summary>
    internal string Describe() =>
        $"window {Window}, border {Border}, normalisation {Normalisation}, heads {Heads}, value {HeadValue}";
}
