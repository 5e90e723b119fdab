namespace SapaGpu;

/// <summary>How the heads of window attention use the value.</summary>
public enum HeadValue
{
    /// <summary>Each head reassembles its own C/heads channels of the value; the output has C channels.</summary>
    Split,

    /// <summary>Each head reassembles the whole value; the output has heads·C channels, head after head.</summary>
    Shared,
}
