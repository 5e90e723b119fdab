namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of a query that is made of features of the encoder and of the decoder: with the gate g of the cell that
/// a query belongs to, g·encoder + (1 − g)·decoder; without a gate, encoder + decoder.
/// </summary>
internal struct QueryBlendParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>D, the channels.</summary>
    public int Channels;

    /// <summary>H rows of the decoder map, OH of the query.</summary>
    public AxisGrid Rows;

    /// <summary>W columns of the decoder map, OW of the query.</summary>
    public AxisGrid Columns;

    /// <summary>The encoder's part, [B, D, OH, OW].</summary>
    public MapView<TStorage> Encoder;

    /// <summary>The decoder's part, [B, D, H, W].</summary>
    public MapView<TStorage> Decoder;

    /// <summary>The gate before its sigmoid, [B, 1, H, W].</summary>
    public MapView<TStorage> Gate;

    /// <summary>The gradient of the query, [B, D, OH, OW].</summary>
    public MapView<TStorage> GradQuery;

    /// <summary>What is computed.</summary>
    public MapView<TStorage> Result;

    /// <summary>Whether there is a gate.</summary>
    public int HasGate;
}
