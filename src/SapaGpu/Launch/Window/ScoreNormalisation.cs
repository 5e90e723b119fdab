namespace SapaGpu;

/// <summary>How the scores of a window become weights.</summary>
public enum ScoreNormalisation
{
    /// <summary>Softmax over the taps; the default.</summary>
    Softmax,

    /// <summary>The logistic function (sigmoid) of every score, divided by its sum over the taps.</summary>
    Sigmoid,

    /// <summary>The scores themselves are the weights.</summary>
    None,
}
