namespace SapaGpu;

/// <summary>The order in memory of a map whose logical dimensions are always [B, C, H, W].</summary>
public enum MemoryFormat
{
    /// <summary>NCHW: the columns of a row side by side, channel after channel.</summary>
    Contiguous,

    /// <summary>NHWC: the channels of a position side by side.</summary>
    ChannelsLast,
}
