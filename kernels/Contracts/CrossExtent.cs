namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The extent of cross-resolution attention: queries [B, h·D, OH, OW], cells [B, ·, H, W]. What a query sees of the cells
/// is in tables, <see cref="AxisRange"/>.
/// </summary>
internal struct CrossExtent
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>H, the rows of key and value.</summary>
    public int Height;

    /// <summary>W, the columns of key and value.</summary>
    public int Width;

    /// <summary>OH, the rows of the queries.</summary>
    public int OutputHeight;

    /// <summary>OW, the columns of the queries.</summary>
    public int OutputWidth;

    /// <summary>h, the heads.</summary>
    public int Heads;

    /// <summary>D, the channels of query and key that belong to a head.</summary>
    public int KeyChannels;

    /// <summary>The channels of the value that a set of weights is for: C/h, or C where weights are averaged.</summary>
    public int ValueChannels;

    /// <summary>1 if the weights are averaged over the heads, else 0: every head has channels of its own.</summary>
    public int AveragesHeads;

    /// <summary>1 if what a range has outside the map takes part with score 0 and value 0, else 0: it repeats the edge.</summary>
    public int OutsideIsZero;

    /// <summary>Gets how many sets of weights a query has.</summary>
    public readonly int WeightSets => AveragesHeads != 0 ? 1 : Heads;

    /// <summary>Gets the heads that a set of weights is the average of.</summary>
    public readonly int HeadsOfSet => AveragesHeads != 0 ? Heads : 1;
}
