namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of sampling a decoder map at points that move with the query: point p of group g of query (y, x) lies
/// at the cell of the query plus an offset of its own, in cells.
/// </summary>
internal struct DeformableSamplingParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>G, the groups that the channels are divided into.</summary>
    public int Groups;

    /// <summary>P, the points of a group.</summary>
    public int Points;

    /// <summary>The channels of a group.</summary>
    public int GroupChannels;

    /// <summary>H rows of the map, OH rows of the queries.</summary>
    public AxisGrid Rows;

    /// <summary>W columns of the map, OW columns of the queries.</summary>
    public AxisGrid Columns;

    /// <summary>Offsets, [B, G·P·2, OH, OW], across before down.</summary>
    public MapView<TStorage> Offsets;

    /// <summary>What is sampled, [B, G·C, H, W].</summary>
    public MapView<TStorage> Map;

    /// <summary>Features of the queries, [B, G·C, OH, OW].</summary>
    public MapView<TStorage> Features;

    /// <summary>A value for every point, [B, G·P, OH, OW].</summary>
    public MapView<TStorage> Weights;

    /// <summary>What is computed.</summary>
    public MapView<TStorage> Result;

    /// <summary>The similarities, [B, G·P, OH, OW], where they are computed along with <see cref="Result"/>.</summary>
    public MapView<TStorage> Scores;

    /// <summary>The channels of a group that a thread of the CPU collects the gradient of at once.</summary>
    public int BlockChannels;

    /// <summary>Whether it is added to what <see cref="Result"/> holds.</summary>
    public int Accumulate;

    /// <summary>All queries, as pixels.</summary>
    public readonly PointwiseExtent Extent() => new()
    {
        Batch = Batch,
        Height = Rows.Queries,
        Width = Columns.Queries,
    };
}
