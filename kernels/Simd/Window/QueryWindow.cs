using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The queries of some rows of cells, staged for a tile of cells and those that its windows reach, with some channels
/// of a query side by side: [slot][row in cell][query][channel], whatever the format of the map. They are the K rows
/// around the current one, and moving down a row of cells stages one; or single rows. Queries that lie in memory as they
/// would be staged are read where they are.
/// </summary>
internal unsafe struct QueryWindow<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private readonly WindowExtent extent;
    private readonly MapPointer<TStorage> map;
    private readonly TReal* memory;
    private readonly nint slotLength;
    private readonly int slots;
    private readonly int image;
    private readonly int firstQuery;
    private readonly int queries;
    private readonly bool inPlace;
    private int firstChannel;
    private int channels;
    private int nextRow;

    public QueryWindow(
        ref ScratchAllocator scratch,
        in MapView<TStorage> view,
        in WindowExtent extent,
        in Strip tile,
        int columnsPerTile,
        int mostChannels,
        int slots,
        bool mayReadInPlace)
    {
        this.slots = slots;
        this.extent = extent;
        map = new MapPointer<TStorage>(in view);
        image = tile.Image;
        FirstCell = Math.Max(0, tile.Column - extent.Radius);
        EndCell = Math.Min(extent.Width, tile.Column + tile.Columns + extent.Radius);
        firstQuery = extent.Columns.First(FirstCell);
        queries = extent.Columns.First(EndCell) - firstQuery;
        firstChannel = 0;
        channels = 0;
        nextRow = 0;
        inPlace = mayReadInPlace && ReadsInPlace(in map, extent.ValueChannels);
        if (inPlace)
        {
            Stride = map.ColumnStride;
            RowStride = map.RowStride;
            return;
        }
        Stride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(mostChannels);
        long mostQueries = Math.Min(
            extent.Columns.Queries, (columnsPerTile + 2L * extent.Radius) * extent.Columns.MaximumCount);
        RowStride = (nint)mostQueries * Stride;
        slotLength = RowStride * extent.Rows.MaximumCount;
        memory = scratch.Take<TReal>(slots * slotLength);
    }

    /// <summary>Gets the first cell whose queries are staged.</summary>
    public int FirstCell { get; }

    /// <summary>Gets the cell after the last.</summary>
    public int EndCell { get; }

    /// <summary>Gets the elements from one query to the next.</summary>
    public nint Stride { get; }

    /// <summary>Gets the elements from one row of queries to the next.</summary>
    public nint RowStride { get; }

    /// <summary>Begins with some channels above the first row of a tile.</summary>
    public void Begin(int row, int first, int count)
    {
        firstChannel = first;
        channels = count;
        nextRow = Math.Max(0, row - extent.Radius);
    }

    /// <summary>Stages what the windows around a row need and is not there yet; rows must come in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void MoveTo(int row)
    {
        if (inPlace)
            return;
        int end = Math.Min(extent.Height, row + extent.Radius + 1);
        for (; nextRow < end; nextRow++)
            Stage(nextRow);
    }

    /// <summary>Stages one row of cells.</summary>
    public readonly void Take(int cellRow) => Stage(cellRow);

    /// <summary>The first query of a staged row of cells.</summary>
    public readonly TReal* Row(int cellRow) => inPlace
        ? (TReal*)map.At(image, firstChannel, extent.Rows.First(cellRow), firstQuery)
        : memory + cellRow % slots * slotLength;

    /// <summary>The queries of a row before a cell.</summary>
    public readonly int Before(int cell) => extent.Columns.First(cell) - firstQuery;

    // Whole steps of aligned vectors, which need neither a conversion nor zeros behind the last channel. A row of sums reads
    // each query once, so that the first-level cache gains nothing from another layout.
    private static bool ReadsInPlace(in MapPointer<TStorage> map, int channels) =>
        typeof(TStorage) == typeof(TReal)
            && map.IsChannelsLast
            && channels % (2 * TSimd.Lanes) == 0
            && StreamingStores.IsAligned(in map, TSimd.Lanes * sizeof(TReal));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Stage(int cellRow)
    {
        int first = extent.Rows.First(cellRow);
        int rows = extent.Rows.Count(cellRow);
        for (int row = 0; row < rows; row++)
        {
            TReal* to = Row(cellRow) + row * RowStride;
            TStorage* from = map.At(image, firstChannel, first + row, firstQuery);
            if (!map.IsChannelsLast)
            {
                TSimd.Transpose(from, map.ChannelStride, to, Stride, channels, queries);
                continue;
            }
            for (int query = 0; query < queries; query++)
            {
                TSimd.Gather(from, 1, to, channels);
                from += map.ColumnStride;
                to += Stride;
            }
        }
    }
}
