namespace SapaGpu;

/// <summary>How taps of a window that lie outside the decoder map are treated.</summary>
public enum BorderRule
{
    /// <summary>
    /// A tap outside has score 0 and value 0 and takes part in the normalisation, so near the border the weights of the
    /// cells inside sum to less than 1. The rule of the SAPA authors' implementation, and the default.
    /// </summary>
    ZeroLogit,

    /// <summary>A tap outside is left out of the normalisation; the weights of the cells inside sum to 1.</summary>
    Masked,

    /// <summary>A tap outside takes the key and the value of the nearest cell inside.</summary>
    Replicate,

    /// <summary>
    /// No tap is outside: the window is shifted to lie inside the map, as in neighbourhood attention. The map must be
    /// at least as large as the window.
    /// </summary>
    Shifted,
}
