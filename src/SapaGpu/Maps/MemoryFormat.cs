namespace SapaGpu;

/// <summary>The order of elements in memory; the logical dimensions are [B, C, H, W] in either format.</summary>
public enum MemoryFormat
{
    /// <summary>NCHW: channel after channel, the columns of a row next to each other.</summary>
    Contiguous,

    /// <summary>NHWC: position after position, the channels of a position next to each other.</summary>
    ChannelsLast,
}
