namespace SapaGpu;

/// <summary>What the heads of window attention reassemble.</summary>
public enum HeadValue
{
    /// <summary>Every head its own C/heads channels of the value; the output has C channels.</summary>
    Split,

    /// <summary>Every head the whole value; the output has heads·C channels, head after head.</summary>
    Shared,
}
