namespace SapaGpu;

/// <summary>What a tap of the window outside the decoder map counts for.</summary>
public enum BorderRule
{
    /// <summary>
    /// It has score 0, takes part in the normalisation and has value 0, so near the border the weights of the cells
    /// inside add up to less than 1. The rule of the SAPA paper's implementation, and the default.
    /// </summary>
    ZeroLogit,

    /// <summary>It is left out of the normalisation; the weights of the cells inside add up to 1.</summary>
    Masked,

    /// <summary>It stands for the nearest cell inside, for keys as for values.</summary>
    Replicate,

    /// <summary>
    /// There is none: the window is moved so that it lies inside the map, as neighbourhood attention does it. The map
    /// must be at least as large as the window.
    /// </summary>
    Shifted,
}
