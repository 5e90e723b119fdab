using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The K rows of a decoder map around the current one, staged for a tile of cells: [slot][channel][columns + 2·radius],
/// columns side by side and, outside the map, zeros or the nearest cell, whatever the format of the map. Moving down a
/// row stages one row.
/// </summary>
internal unsafe struct WindowRows<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged
    where TVector : struct
{
    private readonly MapPointer<TStorage> map;
    private readonly TReal* memory;
    private readonly TReal** taps;
    private readonly int channels;
    private readonly int window;
    private readonly int height;
    private readonly int width;
    private readonly int image;
    private readonly int firstColumn;
    private readonly bool replicates;
    private readonly int length;
    private readonly int columns;
    private int nextRow;

    public WindowRows(
        ref ScratchAllocator scratch,
        in MapView<TStorage> view,
        in WindowExtent extent,
        int channels,
        in Strip tile,
        int columnsPerTile,
        bool replicates)
    {
        map = new MapPointer<TStorage>(in view);
        this.channels = channels;
        this.replicates = replicates;
        window = extent.Window;
        height = extent.Height;
        width = extent.Width;
        image = tile.Image;
        firstColumn = tile.Column - extent.Radius;
        nextRow = tile.Row - extent.Radius;
        columns = tile.Columns + window - 1;
        length = columnsPerTile + window - 1;

        // Channels are computed four at a time; the rows of the last ones past the end are read and never written. What
        // is never staged is cleared once: the padding outside the map is zero by contract, and elsewhere the processor
        // is slow where it finds denormal numbers.
        long size = (long)window * length * channels + 3L * length;
        memory = scratch.Take<TReal>(size);
        taps = (TReal**)scratch.Take<nint>(window * window);
        if (!scratch.OnlyCounts)
            new Span<TReal>(memory, checked((int)size)).Clear();
    }

    /// <summary>Gets the elements from one channel of a staged row to the next.</summary>
    public readonly nint ChannelStride => length;

    /// <summary>
    /// Gets, for every tap of the window, where the first channel of its first lane is, after <see cref="Select"/>.
    /// </summary>
    public readonly TReal** Taps => taps;

    /// <summary>Stages what the windows of a row need and is not there yet; rows must come in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void MoveTo(int row)
    {
        int radius = window / 2;
        for (; nextRow <= row + radius; nextRow++)
            Stage(nextRow);
    }

    /// <summary>Points the taps of a row at the strip that starts at a column of the tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Select(int row, int column)
    {
        int radius = window / 2;
        for (int y = 0; y < window; y++)
        {
            TReal* slot = Slot(row - radius + y) + column;
            for (int x = 0; x < window; x++)
                taps[y * window + x] = slot + x;
        }
    }

    private readonly TReal* Slot(int row) =>
        memory + (nint)((row % window + window) % window) * length * channels;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Stage(int row)
    {
        TReal* slot = Slot(row);
        if (replicates)
            row = AxisTaps.Clamp(row, height);
        if (row < 0 || row >= height)
        {
            new Span<TReal>(slot, length * channels).Clear();
            return;
        }

        int first = Math.Max(0, -firstColumn);
        int end = Math.Min(columns, width - firstColumn);
        TStorage* source = map.At(image, 0, row, firstColumn + first);
        if (map.IsChannelsLast)
        {
            TSimd.Transpose(source, map.ColumnStride, slot + first, length, end - first, channels);
        }
        else
        {
            for (int channel = 0; channel < channels; channel++)
            {
                TSimd.Gather(
                    source + channel * map.ChannelStride, map.ColumnStride, slot + channel * length + first, end - first);
            }
        }
        if (replicates && (first > 0 || end < columns))
            Extend(slot, first, end);
    }

    private readonly void Extend(TReal* slot, int first, int end)
    {
        for (int channel = 0; channel < channels; channel++)
        {
            var row = new Span<TReal>(slot + (nint)channel * length, length);
            row[..first].Fill(row[first]);
            row[end..].Fill(row[end - 1]);
        }
    }
}
