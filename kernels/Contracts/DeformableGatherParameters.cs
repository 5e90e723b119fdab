using System.Numerics;
using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of the gather that replaces the scatter of sampling's backward. Samples are sorted by the cells that
/// they touch, with a stable counting sort, so that every cell has a list of them in the order of the queries; then
/// each cell adds up its list. One image at a time; nothing depends on how the queries are cut into chunks.
/// </summary>
internal struct DeformableGatherParameters<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>The image.</summary>
    public int Image;

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

    /// <summary>The chunks that the queries are cut into.</summary>
    public int Chunks;

    /// <summary>The queries of a chunk.</summary>
    public int QueriesPerChunk;

    /// <summary>Offsets, [B, G·P·2, OH, OW].</summary>
    public MapView<TStorage> Offsets;

    /// <summary>
    /// The samples of every chunk that touch a cell, then where the chunk's part of the list starts, [G, chunks, H·W].
    /// </summary>
    public ArrayView<int> Counts;

    /// <summary>Where the list of a cell starts, and behind the last cell where it ends, [G, H·W + 1].</summary>
    public ArrayView<int> Starts;

    /// <summary>The sample, query·P + point, of every entry; a group has space for four entries a sample.</summary>
    public ArrayView<int> Samples;

    /// <summary>The bilinear weight of the cell in the sample, for every entry.</summary>
    public ArrayView<TReal> BilinearWeights;

    /// <summary>A value for every point, [B, G·P, OH, OW].</summary>
    public MapView<TStorage> Weights;

    /// <summary>Features of the queries, [B, G·C, OH, OW].</summary>
    public MapView<TStorage> Features;

    /// <summary>The gradient of the map, [B, G·C, H, W].</summary>
    public MapView<TStorage> Result;

    /// <summary>Gets the cells of the map.</summary>
    public readonly int Cells => Rows.Cells * Columns.Cells;

    /// <summary>Gets the queries of an image.</summary>
    public readonly int Queries => Rows.Queries * Columns.Queries;

    /// <summary>One value for every chunk of every group.</summary>
    public readonly MapExtent PerChunk() => new() { Batch = 1, Channels = Groups, Height = Chunks, Width = 1 };
}
