namespace SapaGpu.Cli.Vectors;

/// <summary>The order in which the files of a case hold maps.</summary>
internal enum VectorLayout
{
    /// <summary>[B, H, W, C].</summary>
    ChannelsLast,

    /// <summary>[B, C, H, W], or with one more dimension for values per group and point.</summary>
    ChannelsFirst,
}
