using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>Options of window attention and its steps.</summary>
public sealed record WindowAttentionOptions
{
    /// <summary>
    /// Gets the options of the SAPA paper: a 5×5 window, softmax, <see cref="BorderRule.ZeroLogit"/>, one head.
    /// </summary>
    public static WindowAttentionOptions Default { get; } = new();

    /// <summary>Gets K, the odd width of the window, from 1 to 15.</summary>
    public int Window { get; init; } = 5;

    /// <summary>Gets how taps outside the decoder map are treated.</summary>
    public BorderRule Border { get; init => field = EnumChecks.Defined(value); } = BorderRule.ZeroLogit;

    /// <summary>Gets how scores become weights.</summary>
    public ScoreNormalisation Normalisation
    {
        get; init =>
        field = EnumChecks.Defined(value);
    } = ScoreNormalisation.Softmax;

    /// <summary>
    /// Gets the number of heads, at least 1. Query and key have heads·d channels, and each head compares its own d.
    /// SAPA has one head.
    /// </summary>
    public int Heads { get; init; } = 1;

    /// <summary>Gets whether the heads split the value or share it.</summary>
    public HeadValue HeadValue { get; init => field = EnumChecks.Defined(value); } = HeadValue.Split;

    /// <summary>Describes the options, for error messages.</summary>
    internal string Describe() =>
        $"window {Window}, border {Border}, normalisation {Normalisation}, heads {Heads}, value {HeadValue}";
}
