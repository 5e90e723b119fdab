using System.Numerics;
using ILGPU;

namespace SapaGpu.Kernels.Maps;


/// <summary>
/// The contract of the gather that replaces the scatter of sampling's backward. Samples are sorted by the cells that they
/// touch, with a stable counting sort, so that every cell has a list of them in the order of the queries; then each cell
/// adds up its list. One image at a time; nothing depends on how the queries are cut into chunks.
/// </summary>
public struct PointGatherParameters<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
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

    /// <summary>The samples of every chunk that touch a cell, then where the chunk's part of the list starts, [G, chunks, H·W].</summary>
    public ArrayView<int> Counts;

    /// <summary>Where the list of a cell starts, and behind the last cell where it ends, [G, H·W + 1].</summary>
    public ArrayView<int> Starts;

    /// <summary>The sample, query·P + point, of every entry; a group has room for four entries a sample.</summary>
    public ArrayView<int> Samples;

    /// <summary>The share of the cell in the sample, for every entry.</summary>
    public ArrayView<TAccumulator> Shares;

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

/// <summary>Walks the samples of a chunk of queries.</summary>
internal static class PointChunk
{
    /// <summary>Visits every cell that the samples of a chunk touch, in the order of the queries.</summary>
    public static void Visit<TElement, TStorage, TAccumulator>(
        in PointGatherParameters<TStorage, TAccumulator> parameters, int group, int chunk, int places)
        where TElement : struct, IElement<TStorage, TAccumulator>
        where TStorage : unmanaged
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    {
        int first = chunk * parameters.QueriesPerChunk;
        int end = first + parameters.QueriesPerChunk;
        end = end < parameters.Queries ? end : parameters.Queries;
        for (int query = first; query < end; query++)
        {
            int row = query / parameters.Columns.Queries;
            int column = query - row * parameters.Columns.Queries;
            for (int i = 0; i < parameters.Points; i++)
            {
                var point = SamplePoint<TAccumulator>.Locate<TElement, TStorage>(
                    in parameters.Offsets,
                    in parameters.Rows,
                    in parameters.Columns,
                    parameters.Image,
                    group * parameters.Points + i,
                    row,
                    column);
                if (!point.Contributes)
                    continue;
                int sample = query * parameters.Points + i;
                var up = TAccumulator.One - point.Down;
                var left = TAccumulator.One - point.Across;
                Touch(in parameters, group, chunk, point.Row, point.Column, sample, up * left, places);
                Touch(in parameters, group, chunk, point.Row, point.Column + 1, sample, up * point.Across, places);
                Touch(in parameters, group, chunk, point.Row + 1, point.Column, sample, point.Down * left, places);
                Touch(
                    in parameters, group, chunk, point.Row + 1, point.Column + 1, sample, point.Down * point.Across, places);
            }
        }
    }

    private static void Touch<TStorage, TAccumulator>(
        in PointGatherParameters<TStorage, TAccumulator> parameters,
        int group,
        int chunk,
        int row,
        int column,
        int sample,
        TAccumulator share,
        int places)
        where TStorage : unmanaged
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    {
        if (row < 0 || row >= parameters.Rows.Cells || column < 0 || column >= parameters.Columns.Cells)
            return;
        long count = ((long)group * parameters.Chunks + chunk) * parameters.Cells
            + row * parameters.Columns.Cells + column;
        int known = parameters.Counts[count];
        parameters.Counts[count] = known + 1;
        if (places == 0)
            return;
        long entry = (long)group * 4 * parameters.Queries * parameters.Points + known;
        parameters.Samples[entry] = sample;
        parameters.Shares[entry] = share;
    }
}

/// <summary>Counts, for every chunk, the samples that touch a cell.</summary>
public readonly struct PointCount<TElement, TStorage, TAccumulator>
    : IMapProgram<PointGatherParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in PointGatherParameters<TStorage, TAccumulator> parameters) => parameters.PerChunk();

    /// <inheritdoc/>
    public static double OperationsPerValue(in PointGatherParameters<TStorage, TAccumulator> parameters) =>
        60.0 * parameters.QueriesPerChunk * parameters.Points;

    /// <inheritdoc/>
    public static void Apply(in PointGatherParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        long first = ((long)at.Channel * parameters.Chunks + at.Row) * parameters.Cells;
        for (int cell = 0; cell < parameters.Cells; cell++)
            parameters.Counts[first + cell] = 0;
        PointChunk.Visit<TElement, TStorage, TAccumulator>(in parameters, at.Channel, at.Row, places: 0);
    }
}

/// <summary>Adds up the counts of a cell over the chunks; the sum waits in the place of the cell's start.</summary>
public readonly struct PointChunkSums<TStorage, TAccumulator>
    : IMapProgram<PointGatherParameters<TStorage, TAccumulator>>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in PointGatherParameters<TStorage, TAccumulator> parameters) => new()
    {
        Batch = 1,
        Channels = parameters.Groups,
        Height = 1,
        Width = parameters.Cells,
    };

    /// <inheritdoc/>
    public static double OperationsPerValue(in PointGatherParameters<TStorage, TAccumulator> parameters) =>
        4.0 * parameters.Chunks;

    /// <inheritdoc/>
    public static void Apply(in PointGatherParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        int sum = 0;
        for (int chunk = 0; chunk < parameters.Chunks; chunk++)
        {
            long count = ((long)at.Channel * parameters.Chunks + chunk) * parameters.Cells + at.Column;
            int own = parameters.Counts[count];
            sum += own;

            // The compiler may move a reading behind a writing of the same place unless what is written needs it.
            parameters.Counts[count] = sum - own;
        }
        parameters.Starts[(long)at.Channel * (parameters.Cells + 1) + at.Column] = sum;
    }
}

/// <summary>Turns the lengths of the lists of a group into their starts.</summary>
public readonly struct PointStarts<TStorage, TAccumulator>
    : IMapProgram<PointGatherParameters<TStorage, TAccumulator>>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in PointGatherParameters<TStorage, TAccumulator> parameters) => new()
    {
        Batch = 1,
        Channels = parameters.Groups,
        Height = 1,
        Width = 1,
    };

    /// <inheritdoc/>
    public static double OperationsPerValue(in PointGatherParameters<TStorage, TAccumulator> parameters) =>
        4.0 * parameters.Cells;

    /// <inheritdoc/>
    public static void Apply(in PointGatherParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        long first = (long)at.Channel * (parameters.Cells + 1);
        int start = 0;
        for (int cell = 0; cell < parameters.Cells; cell++)
        {
            int length = parameters.Starts[first + cell];
            start += length;
            parameters.Starts[first + cell] = start - length;
        }
        parameters.Starts[first + parameters.Cells] = start;
    }
}

/// <summary>Moves the start of every chunk's part of a list behind the start of the list.</summary>
public readonly struct PointChunkStarts<TStorage, TAccumulator>
    : IMapProgram<PointGatherParameters<TStorage, TAccumulator>>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in PointGatherParameters<TStorage, TAccumulator> parameters) => new()
    {
        Batch = 1,
        Channels = parameters.Groups,
        Height = parameters.Chunks,
        Width = parameters.Cells,
    };

    /// <inheritdoc/>
    public static double OperationsPerValue(in PointGatherParameters<TStorage, TAccumulator> parameters) => 4;

    /// <inheritdoc/>
    public static void Apply(in PointGatherParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        long count = ((long)at.Channel * parameters.Chunks + at.Row) * parameters.Cells + at.Column;
        parameters.Counts[count] += parameters.Starts[(long)at.Channel * (parameters.Cells + 1) + at.Column];
    }
}

/// <summary>Writes the samples of every chunk into the lists.</summary>
public readonly struct PointPlacement<TElement, TStorage, TAccumulator>
    : IMapProgram<PointGatherParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in PointGatherParameters<TStorage, TAccumulator> parameters) => parameters.PerChunk();

    /// <inheritdoc/>
    public static double OperationsPerValue(in PointGatherParameters<TStorage, TAccumulator> parameters) =>
        60.0 * parameters.QueriesPerChunk * parameters.Points;

    /// <inheritdoc/>
    public static void Apply(in PointGatherParameters<TStorage, TAccumulator> parameters, in MapPosition at) =>
        PointChunk.Visit<TElement, TStorage, TAccumulator>(in parameters, at.Channel, at.Row, places: 1);
}

/// <summary>Adds up the list of a cell: share · weight · feature of every sample.</summary>
public readonly struct PointGather<TElement, TStorage, TAccumulator>
    : IMapProgram<PointGatherParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in PointGatherParameters<TStorage, TAccumulator> parameters) => MapExtent.Of(
        in parameters.Result,
        1,
        parameters.Groups * parameters.GroupChannels,
        parameters.Rows.Cells,
        parameters.Columns.Cells);

    /// <inheritdoc/>
    public static double OperationsPerValue(in PointGatherParameters<TStorage, TAccumulator> parameters) =>
        16.0 + 32.0 * parameters.Queries * parameters.Points / parameters.Cells;

    /// <inheritdoc/>
    public static void Apply(in PointGatherParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        int group = at.Channel / parameters.GroupChannels;
        long cell = (long)group * (parameters.Cells + 1) + at.Row * parameters.Columns.Cells + at.Column;
        long first = (long)group * 4 * parameters.Queries * parameters.Points;
        int end = parameters.Starts[cell + 1];
        var sum = TAccumulator.Zero;
        for (int i = parameters.Starts[cell]; i < end; i++)
        {
            int sample = parameters.Samples[first + i];
            int query = sample / parameters.Points;
            int point = group * parameters.Points + sample - query * parameters.Points;
            int row = query / parameters.Columns.Queries;
            int column = query - row * parameters.Columns.Queries;
            long weight = parameters.Weights.Offset(parameters.Image, point, row, column);
            long feature = parameters.Features.Offset(parameters.Image, at.Channel, row, column);
            sum += parameters.Shares[first + i] * TElement.Load(parameters.Weights.Data[weight])
                * TElement.Load(parameters.Features.Data[feature]);
        }
        parameters.Result.Data[parameters.Result.Offset(parameters.Image, at.Channel, at.Row, at.Column)] =
            TElement.Store(sum);
    }
}
