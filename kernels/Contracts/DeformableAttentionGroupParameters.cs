namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of the whole backward, group by group.</summary>
internal struct DeformableAttentionGroupParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>The forward, with the gradient of the output; its maps may have any format.</summary>
    public DeformableAttentionParameters<TStorage> Forward;

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
