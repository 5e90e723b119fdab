using System.Numerics;
using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The contract of the gather that replaces the scatter of sampling's backward. Every cell gets a list of the samples that
/// touch it: they are counted, written down as they come, and sorted, so that each cell adds up its list in the order of
/// the queries. One image at a time.
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

    /// <summary>Offsets, [B, G·P·2, OH, OW].</summary>
    public MapView<TStorage> Offsets;

    /// <summary>
    /// How many samples touch a cell, then where the next one is written in the list of the group, [G, H·W].
    /// </summary>
    public ArrayView<int> Counts;

    /// <summary>Where the list of a cell starts, and behind the last cell where it ends, [G, H·W + 1].</summary>
    public ArrayView<int> Starts;

    /// <summary>
    /// What every list holds, the sample, query·P + point, of every entry; until lists are sorted, four times the sample
    /// and the number of its corner. A group has space for four entries a sample.
    /// </summary>
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

    /// <summary>Gets the space for the lists of a group.</summary>
    public readonly long EntriesOfGroup => 4L * Queries * Points;

    /// <summary>One value for every point of every query of the image.</summary>
    public readonly MapExtent PerPoint() => new()
    {
        Batch = 1,
        Channels = Groups * Points,
        Height = Rows.Queries,
        Width = Columns.Queries,
    };
}
