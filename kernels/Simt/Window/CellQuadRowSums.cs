using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Four channels of the sums of a quad of 2×2 cells, row by row, where columns lie side by side. Positions count pairs
/// of columns, in 32 bits.
/// </summary>
internal struct CellQuadRowSums<TElement, TStorage, TReal, TWindow>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWindow : struct, IWindow
{
    /// <summary>The upper left cell.</summary>
    public Pack4<TReal> Sum0;

    /// <summary>The upper right cell.</summary>
    public Pack4<TReal> Sum1;

    /// <summary>The lower left cell.</summary>
    public Pack4<TReal> Sum2;

    /// <summary>The lower right cell.</summary>
    public Pack4<TReal> Sum3;

    // The row of cells and its first column of the four channels; which columns are inside, a bit for each.
    private int row;
    private int rows;
    private int columns;
    private int channel0;
    private int channel1;
    private int channel2;
    private int channel3;

    private static int Taps => TWindow.Size(0) * TWindow.Size(0);

    /// <summary>Finds the first row of cells whose queries see the quad.</summary>
    public void Locate(
        in MapView<TStorage> map, in WindowExtent extent, int image, int channel, int quadRow, int quadColumn)
    {
        int radius = TWindow.Size(0) / 2;
        int column = quadColumn - radius;
        row = quadRow - radius;
        rows = extent.Height;
        columns = 0;
        for (int i = 0; i <= TWindow.Size(0); i++)
            columns |= (column + i >= 0 & column + i < extent.Width ? 1 : 0) << i;
        channel0 = (int)(map.Offset(image, channel, 2 * row, 2 * column) >> 1);

        // Channels past the last one are read as the last one, and not written.
        int step = (int)(map.ChannelStride >> 1);
        int last = extent.ValueChannels - 1 - channel;
        channel1 = channel0 + Math.Min(1, last) * step;
        channel2 = channel0 + Math.Min(2, last) * step;
        channel3 = channel0 + Math.Min(3, last) * step;
    }

    /// <summary>Goes on to the next row of cells.</summary>
    public void NextRow(in MapView<TStorage> map)
    {
        int step = (int)map.RowStride;
        row++;
        channel0 += step;
        channel1 += step;
        channel2 += step;
        channel3 += step;
    }

    /// <summary>Adds what the row gives to the quad.</summary>
    /// <param name="map">The map of the queries.</param>
    /// <param name="weights">The weights, tap by tap for each cell of a quad.</param>
    /// <param name="weight">Those of the row for the upper left cell.</param>
    /// <param name="windowRow">
    /// The row; the first is in the windows around the upper cells only, the last in those around the lower ones.
    /// </param>
    public void AddRow(in MapView<TStorage> map, ArrayView<Pack4<TReal>> weights, int weight, int windowRow)
    {
        if (row < 0 | row >= rows)
            return;
        int window = TWindow.Size(0);
        bool upper = windowRow < window;
        bool lower = windowRow > 0;
        AddCell(in map, weights, weight, 0, upper, lower, true, false);
        AddCell(in map, weights, weight, 1, upper, lower, true, true);
        AddCell(in map, weights, weight, 2, upper, lower, true, true);
        AddCell(in map, weights, weight, 3, upper, lower, window > 3, true);
        if (window > 3)
        {
            AddCell(in map, weights, weight, 4, upper, lower, true, true);
            AddCell(in map, weights, weight, 5, upper, lower, window > 5, true);
        }
        if (window > 5)
        {
            AddCell(in map, weights, weight, 6, upper, lower, true, true);
            AddCell(in map, weights, weight, 7, upper, lower, false, true);
        }
    }

    private void AddCell(
        in MapView<TStorage> map,
        ArrayView<Pack4<TReal>> weights,
        int weight,
        int column,
        bool upper,
        bool lower,
        bool left,
        bool right)
    {
        if ((columns >> column & 1) == 0)
            return;
        int toLower = (int)(map.RowStride >> 1);
        var above0 = Read(in map, channel0, column);
        var above1 = Read(in map, channel1, column);
        var above2 = Read(in map, channel2, column);
        var above3 = Read(in map, channel3, column);
        var below0 = Read(in map, channel0 + toLower, column);
        var below1 = Read(in map, channel1 + toLower, column);
        var below2 = Read(in map, channel2 + toLower, column);
        var below3 = Read(in map, channel3 + toLower, column);
        var x = new Pack4<TReal> { X = above0.X, Y = above1.X, Z = above2.X, W = above3.X };
        var y = new Pack4<TReal> { X = above0.Y, Y = above1.Y, Z = above2.Y, W = above3.Y };
        var z = new Pack4<TReal> { X = below0.X, Y = below1.X, Z = below2.X, W = below3.X };
        var w = new Pack4<TReal> { X = below0.Y, Y = below1.Y, Z = below2.Y, W = below3.Y };
        var own = weights.SubView(weight, 1);
        if (upper)
        {
            if (left)
                Add(ref Sum0, own[column], in x, in y, in z, in w);
            if (right)
                Add(ref Sum1, own[Taps + column - 1], in x, in y, in z, in w);
        }
        if (lower)
        {
            if (left)
                Add(ref Sum2, own[2 * Taps + column - TWindow.Size(0)], in x, in y, in z, in w);
            if (right)
                Add(ref Sum3, own[3 * Taps + column - 1 - TWindow.Size(0)], in x, in y, in z, in w);
        }
    }

    private static Pack2<TReal> Read(in MapView<TStorage> map, int position, int column)
    {
        // The sum is never negative, its first part may be, and ILGPU takes indices for unsigned.
        var stored = map.Data.AsAligned(2 * Interop.SizeOf<TStorage>()).Cast<Pack2<TStorage>>()[position + column];
        return new Pack2<TReal> { X = TElement.Load(stored.X), Y = TElement.Load(stored.Y) };
    }

    private static void Add(
        ref Pack4<TReal> sum,
        Pack4<TReal> weight,
        in Pack4<TReal> x,
        in Pack4<TReal> y,
        in Pack4<TReal> z,
        in Pack4<TReal> w)
    {
        Pack4.Add(ref sum, weight.X, in x);
        Pack4.Add(ref sum, weight.Y, in y);
        Pack4.Add(ref sum, weight.Z, in z);
        Pack4.Add(ref sum, weight.W, in w);
    }
}
