namespace SapaGpu;

/// <summary>How the scores of a window become weights.</summary>
public enum ScoreNormalisation
{
    /// <summary>Softmax over the taps; the default.</summary>
    Softmax,

    /// <summary>The logistic function of every score, divided by the sum over the taps.</summary>
    Sigmoid,

    /// <summary>The scores are the weights.</summary>
    None,
}
