using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The contract of attention over points that move with the query, in one pass: scores of query and key at the points,
/// softmax, and the sum of the value at the points. Places of points are those of
/// <see cref="PointSamplingParameters{TStorage}"/>; the maps are channels-last.
/// </summary>
public struct PointAttentionParameters<TStorage>
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

/// <summary>
/// The contract of the backward as far as every query can compute its own: scores and weights once more, the gradients of
/// query and offsets, and what the gradients of the maps are collected from.
/// </summary>
public struct PointAttentionBackwardParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>The forward, with the gradient of the output.</summary>
    public PointAttentionParameters<TStorage> Forward;

    /// <summary>The weights, [B, G·P, OH, OW].</summary>
    public MapView<TStorage> Weights;

    /// <summary>The gradients of the scores, [B, G·P, OH, OW].</summary>
    public MapView<TStorage> GradScores;

    /// <summary>The gradient of the query, [B, G·D, OH, OW].</summary>
    public MapView<TStorage> GradQuery;

    /// <summary>The gradient of the offsets, [B, G·P·2, OH, OW].</summary>
    public MapView<TStorage> GradOffsets;

    /// <summary>Whether <see cref="Weights"/> are written.</summary>
    public int NeedsWeights;

    /// <summary>Whether <see cref="GradScores"/> are written.</summary>
    public int NeedsGradScores;

    /// <summary>Whether <see cref="GradQuery"/> is written.</summary>
    public int NeedsGradQuery;

    /// <summary>Whether <see cref="GradOffsets"/> are written.</summary>
    public int NeedsGradOffsets;
}

/// <summary>The contract of the whole backward, group by group.</summary>
public struct PointAttentionGroupParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>The forward, with the gradient of the output; its maps may have any format.</summary>
    public PointAttentionParameters<TStorage> Forward;

    /// <summary>The gradient of the query, [B, G·D, OH, OW].</summary>
    public MapView<TStorage> GradQuery;

    /// <summary>The gradient of the key, [B, G·D, H, W].</summary>
    public MapView<TStorage> GradKey;

    /// <summary>The gradient of the value, [B, G·C, H, W].</summary>
    public MapView<TStorage> GradValue;

    /// <summary>The gradient of the offsets, [B, G·P·2, OH, OW].</summary>
    public MapView<TStorage> GradOffsets;

    /// <summary>Whether <see cref="GradQuery"/> is written.</summary>
    public int NeedsGradQuery;

    /// <summary>Whether <see cref="GradKey"/> is written.</summary>
    public int NeedsGradKey;

    /// <summary>Whether <see cref="GradValue"/> is written.</summary>
    public int NeedsGradValue;

    /// <summary>Whether <see cref="GradOffsets"/> are written.</summary>
    public int NeedsGradOffsets;
}
