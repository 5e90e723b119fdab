namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of deformable attention in one pass: scores of query and key at the points,
/// softmax, and the sum of the value at the points. Positions of points are those of
/// <see cref="DeformableSamplingParameters{TStorage}"/>; the maps are channels-last.
/// </summary>
internal struct DeformableAttentionParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>G, the groups that the channels are divided into.</summary>
    public int Groups;

    /// <summary>P, the points of a group.</summary>
    public int Points;

    /// <summary>D, the channels of a group of query and key.</summary>
    public int KeyChannels;

    /// <summary>C, the channels of a group of value and output.</summary>
    public int ValueChannels;

    /// <summary>H rows of key and value, OH rows of the queries.</summary>
    public AxisGrid Rows;

    /// <summary>W columns of key and value, OW columns of the queries.</summary>
    public AxisGrid Columns;

    /// <summary>Offsets, [B, G·P·2, OH, OW], across before down.</summary>
    public MapView<TStorage> Offsets;

    /// <summary>Queries, [B, G·D, OH, OW].</summary>
    public MapView<TStorage> Query;

    /// <summary>Keys, [B, G·D, H, W].</summary>
    public MapView<TStorage> Key;

    /// <summary>Values, [B, G·C, H, W].</summary>
    public MapView<TStorage> Value;

    /// <summary>The output, or its gradient where the pass goes backward, [B, G·C, OH, OW].</summary>
    public MapView<TStorage> Output;

    /// <summary>All queries, as pixels.</summary>
    public readonly PointwiseExtent Extent() => new()
    {
        Batch = Batch,
        Height = Rows.Queries,
        Width = Columns.Queries,
    };
}
