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
        var own = weights.SubView(weight, 1);

        // Two neighbouring cells at once, whose reads lie in the same sectors, while the two before are added: reads do not
        // wait behind the conditions of the additions.
        var cells = Neighbours.Load(in this, in map, 0);
        var next = Neighbours.Load(in this, in map, 2);
        AddCells(in cells, own, 0, upper, lower);
        if (window > 3)
        {
            cells = Neighbours.Load(in this, in map, 4);
            AddCells(in next, own, 2, upper, lower);
        }
        if (window > 5)
        {
            next = Neighbours.Load(in this, in map, 6);
            AddCells(in cells, own, 4, upper, lower);
        }
        AddCells(window == 5 ? cells : next, own, window - 1, upper, lower);
    }

    private void AddCells(
        in Neighbours cells, ArrayView<Pack4<TReal>> weights, int column, bool upper, bool lower)
    {
        AddCell(in cells.Left, weights, column, upper, lower);
        AddCell(in cells.Right, weights, column + 1, upper, lower);
    }

    private readonly Cell Load(in MapView<TStorage> map, int column)
    {
        bool inside = (columns >> column & 1) != 0;
        int toLower = (int)(map.RowStride >> 1);
        var above0 = Read(in map, inside, channel0, column);
        var above1 = Read(in map, inside, channel1, column);
        var above2 = Read(in map, inside, channel2, column);
        var above3 = Read(in map, inside, channel3, column);
        var below0 = Read(in map, inside, channel0 + toLower, column);
        var below1 = Read(in map, inside, channel1 + toLower, column);
        var below2 = Read(in map, inside, channel2 + toLower, column);
        var below3 = Read(in map, inside, channel3 + toLower, column);
        return new Cell
        {
            X = new Pack4<TReal> { X = above0.X, Y = above1.X, Z = above2.X, W = above3.X },
            Y = new Pack4<TReal> { X = above0.Y, Y = above1.Y, Z = above2.Y, W = above3.Y },
            Z = new Pack4<TReal> { X = below0.X, Y = below1.X, Z = below2.X, W = below3.X },
            W = new Pack4<TReal> { X = below0.Y, Y = below1.Y, Z = below2.Y, W = below3.Y },
        };
    }

    // The first column of a row is in the windows around the left cells only, the last one in those around the right.
    private void AddCell(
        in Cell cell, ArrayView<Pack4<TReal>> weights, int column, bool upper, bool lower)
    {
        int window = TWindow.Size(0);
        if (upper)
        {
            if (column < window)
                cell.AddTo(ref Sum0, weights[column]);
            if (column > 0)
                cell.AddTo(ref Sum1, weights[Taps + column - 1]);
        }
        if (lower)
        {
            if (column < window)
                cell.AddTo(ref Sum2, weights[2 * Taps + column - window]);
            if (column > 0)
                cell.AddTo(ref Sum3, weights[3 * Taps + column - 1 - window]);
        }
    }

    // A condition for each read: the assembler makes a predicate of it, and no branch that the next read waits behind.
    private static Pack2<TReal> Read(in MapView<TStorage> map, bool inside, int position, int column)
    {
        // The sum is never negative, its first part may be, and ILGPU takes indices for unsigned.
        var value = default(Pack2<TReal>);
        if (inside)
        {
            var stored =
                map.Data.AsAligned(2 * Interop.SizeOf<TStorage>()).Cast<Pack2<TStorage>>()[position + column];
            value = new Pack2<TReal> { X = TElement.Load(stored.X), Y = TElement.Load(stored.Y) };
        }
        return value;
    }

    /// <summary>Two neighbouring cells.</summary>
    private struct Neighbours
    {
        public Cell Left;
        public Cell Right;

        public static Neighbours Load(
            in CellQuadRowSums<TElement, TStorage, TReal, TWindow> sums, in MapView<TStorage> map, int column) => new()
            {
                Left = sums.Load(in map, column),
                Right = sums.Load(in map, column + 1),
            };
    }

    /// <summary>Four channels of the four queries of a cell.</summary>
    private struct Cell
    {
        public Pack4<TReal> X;
        public Pack4<TReal> Y;
        public Pack4<TReal> Z;
        public Pack4<TReal> W;

        public readonly void AddTo(ref Pack4<TReal> sum, Pack4<TReal> weight)
        {
            Pack4.Add(ref sum, weight.X, in X);
            Pack4.Add(ref sum, weight.Y, in Y);
            Pack4.Add(ref sum, weight.Z, in Z);
            Pack4.Add(ref sum, weight.W, in W);
        }
    }
}
