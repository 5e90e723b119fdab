using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The K rows of a decoder map around the current one, staged for a tile of cells with the channels of a cell side by
/// side: [slot][column][channel]. Cells outside the map are not there. Values are widened once, not once for every tap,
/// and the padding between cells keeps a window from falling on the same lines of the cache, as power-of-two channels
/// would.
/// </summary>
internal unsafe struct PixelWindow<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private readonly MapPointer<TStorage> map;
    private readonly TReal* memory;
    private readonly TReal** rows;
    private readonly int channels;
    private readonly int window;
    private readonly int height;
    private readonly int image;
    private readonly int origin;
    private readonly int firstColumn;
    private readonly int columns;
    private readonly nint rowLength;
    private int nextRow;

    public PixelWindow(
        ref ScratchAllocator scratch,
        in MapView<TStorage> view,
        in WindowExtent extent,
        int channels,
        in Strip tile,
        int columnsPerTile)
    {
        map = new MapPointer<TStorage>(in view);
        this.channels = channels;
        window = extent.Window;
        height = extent.Height;
        image = tile.Image;
        origin = tile.Column - extent.Radius;
        firstColumn = Math.Max(0, origin);
        columns = Math.Min(extent.Width, tile.Column + tile.Columns + extent.Radius) - firstColumn;
        nextRow = Math.Max(0, tile.Row - extent.Radius);
        Stride = (channels + TSimd.Lanes - 1) / TSimd.Lanes * TSimd.Lanes + TSimd.Lanes;
        rowLength = (nint)(columnsPerTile + window - 1) * Stride;
        memory = scratch.Take<TReal>((long)window * rowLength);
        rows = (TReal**)scratch.Take<nint>(window);
    }

    /// <summary>Gets the elements from one cell to the next.</summary>
    public int Stride { get; }

    /// <summary>
    /// Gets, for every row of the window that lies in the map, where the first tap of the first lane is, after
    /// <see cref="Select"/>.
    /// </summary>
    public readonly TReal** Rows => rows;

    /// <summary>Stages what the windows of a row need and is not there yet; rows must come in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void MoveTo(int row)
    {
        int radius = window / 2;
        int end = Math.Min(height, row + radius + 1);
        for (; nextRow < end; nextRow++)
            Stage(nextRow);
    }

    /// <summary>Points the rows of the window at the strip that starts at a column of the tile.</summary>
    public readonly void Select(int row, int column)
    {
        for (int y = 0; y < window; y++)
            rows[y] = Slot(row - window / 2 + y) + (nint)column * Stride;
    }

    private readonly TReal* Slot(int row) => memory + (row % window + window) % window * rowLength;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Stage(int row)
    {
        TReal* slot = Slot(row) + (nint)(firstColumn - origin) * Stride;
        TStorage* source = map.At(image, 0, row, firstColumn);
        if (!map.IsChannelsLast)
        {
            TSimd.Transpose(source, map.ChannelStride, slot, Stride, channels, columns);
            return;
        }
        for (int column = 0; column < columns; column++)
        {
            TSimd.Gather(source, 1, slot, channels);
            source += map.ColumnStride;
            slot += Stride;
        }
    }
}
