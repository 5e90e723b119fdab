namespace SapaGpu;

/// <summary>The choices of window attention.</summary>
public sealed record WindowAttentionOptions
{
    /// <summary>Gets the choices of the SAPA paper: a 5×5 window, borders by <see cref="BorderRule.ZeroLogit"/>.</summary>
    public static WindowAttentionOptions Default { get; } = new();

    /// <summary>Gets K, the odd width of the window, from 1 to 15.</summary>
    public int Window { get; init; } = 5;

    /// <summary>Gets what taps outside the decoder map count for.</summary>
    public BorderRule Border { get; init; } = BorderRule.ZeroLogit;
}
