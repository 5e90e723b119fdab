namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of the backward as far as every query can compute its own: scores and weights once more, the gradients
/// of query and offsets, and what the gradients of the maps are collected from.
/// </summary>
internal struct DeformableAttentionBackwardParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>The forward, with the gradient of the output.</summary>
    public DeformableAttentionParameters<TStorage> Forward;

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
