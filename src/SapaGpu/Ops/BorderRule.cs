namespace SapaGpu;

/// <summary>What a tap of the window outside the decoder map counts for.</summary>
public enum BorderRule
{
    /// <summary>
    /// It has score 0, takes part in the softmax and has value 0, so near the border the weights of the cells inside
    /// add up to less than 1. The rule of the SAPA paper's implementation, and the default.
    /// </summary>
    ZeroLogit,

    /// <summary>It is left out of the softmax; the weights of the cells inside add up to 1.</summary>
    Masked,
}
