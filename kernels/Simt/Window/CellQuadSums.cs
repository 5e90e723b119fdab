using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Two packs of channels of the sums of a quad of 2×2 cells, row by row.</summary>
internal struct CellQuadSums<TElement, TStorage, TReal, TWindow, TAccess>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWindow : struct, IWindow
    where TAccess : struct, IChannelAccess
{
    public Pack4<TReal> First0;
    public Pack4<TReal> First1;
    public Pack4<TReal> First2;
    public Pack4<TReal> First3;
    public Pack4<TReal> Second0;
    public Pack4<TReal> Second1;
    public Pack4<TReal> Second2;
    public Pack4<TReal> Second3;

    private static int Taps => TWindow.Size(0) * TWindow.Size(0);

    /// <summary>Adds what a row of K + 1 cells of queries gives to the quad.</summary>
    /// <param name="map">The memory of the map of the queries.</param>
    /// <param name="sources">The positions of the four queries of each cell; negative outside the map.</param>
    /// <param name="source">The first cell of the row.</param>
    /// <param name="weights">The weights, tap by tap for each cell of a quad.</param>
    /// <param name="weight">Those of the row for the upper left cell.</param>
    /// <param name="pack">The first pack of channels.</param>
    /// <param name="toSecond">From the first pack to the second.</param>
    /// <param name="windowRow">
    /// The row; the first is in the windows around the upper cells only, the last in those around the lower ones.
    /// </param>
    public void AddRow(
        ArrayView<TStorage> map,
        ArrayView<Pack4<int>> sources,
        int source,
        ArrayView<Pack4<TReal>> weights,
        int weight,
        int pack,
        int toSecond,
        int windowRow)
    {
        int window = TWindow.Size(0);
        bool upper = windowRow < window;
        bool lower = windowRow > 0;
        var row = sources.SubView(source, 1);
        var above = weights.SubView(weight, 1);

        // A cell is read while the one before it is added: reads do not wait behind the conditions of the additions.
        var cell = Cell.Load(map, row[0], pack, toSecond);
        var next = Cell.Load(map, row[1], pack, toSecond);
        AddCell(in cell, above, 0, upper, lower);
        cell = Cell.Load(map, row[2], pack, toSecond);
        AddCell(in next, above, 1, upper, lower);
        next = Cell.Load(map, row[3], pack, toSecond);
        AddCell(in cell, above, 2, upper, lower);
        if (window > 3)
        {
            cell = Cell.Load(map, row[4], pack, toSecond);
            AddCell(in next, above, 3, upper, lower);
            next = Cell.Load(map, row[5], pack, toSecond);
            AddCell(in cell, above, 4, upper, lower);
        }
        if (window > 5)
        {
            cell = Cell.Load(map, row[6], pack, toSecond);
            AddCell(in next, above, 5, upper, lower);
            next = Cell.Load(map, row[7], pack, toSecond);
            AddCell(in cell, above, 6, upper, lower);
        }
        AddCell(in next, above, window, upper, lower);
    }

    /// <summary>Adds the sums of another thread, which lie a pitch apart.</summary>
    public void Add(ArrayView<Pack4<TReal>> other, int pitch)
    {
        Pack4.Add(ref First0, TReal.One, other[0]);
        Pack4.Add(ref First1, TReal.One, other[pitch]);
        Pack4.Add(ref First2, TReal.One, other[2 * pitch]);
        Pack4.Add(ref First3, TReal.One, other[3 * pitch]);
        Pack4.Add(ref Second0, TReal.One, other[4 * pitch]);
        Pack4.Add(ref Second1, TReal.One, other[5 * pitch]);
        Pack4.Add(ref Second2, TReal.One, other[6 * pitch]);
        Pack4.Add(ref Second3, TReal.One, other[7 * pitch]);
    }

    /// <summary>Stores the sums a pitch apart, for another thread to add.</summary>
    public readonly void Store(ArrayView<Pack4<TReal>> target, int pitch)
    {
        target[0] = First0;
        target[pitch] = First1;
        target[2 * pitch] = First2;
        target[3 * pitch] = First3;
        target[4 * pitch] = Second0;
        target[5 * pitch] = Second1;
        target[6 * pitch] = Second2;
        target[7 * pitch] = Second3;
    }

    // The first column of a row is in the windows around the left cells only, the last one in those around the right.
    private void AddCell(
        in Cell cell, ArrayView<Pack4<TReal>> weights, int column, bool upper, bool lower)
    {
        int window = TWindow.Size(0);
        if (upper)
        {
            if (column < window)
                cell.AddTo(ref First0, ref Second0, weights[column]);
            if (column > 0)
                cell.AddTo(ref First1, ref Second1, weights[Taps + column - 1]);
        }
        if (lower)
        {
            if (column < window)
                cell.AddTo(ref First2, ref Second2, weights[2 * Taps + column - window]);
            if (column > 0)
                cell.AddTo(ref First3, ref Second3, weights[3 * Taps + column - 1 - window]);
        }
    }

    /// <summary>Two packs of channels of the four queries of a cell.</summary>
    private struct Cell
    {
        private Quad first;
        private Quad second;

        public static Cell Load(ArrayView<TStorage> map, Pack4<int> queries, int pack, int toSecond) => new()
        {
            first = Quad.Load(map, in queries, pack),
            second = Quad.Load(map, in queries, pack + toSecond),
        };

        public readonly void AddTo(ref Pack4<TReal> firstSum, ref Pack4<TReal> secondSum, Pack4<TReal> weight)
        {
            first.AddTo(ref firstSum, in weight);
            second.AddTo(ref secondSum, in weight);
        }
    }

    /// <summary>A pack of channels of the four queries of a cell.</summary>
    private struct Quad
    {
        private Pack4<TReal> x;
        private Pack4<TReal> y;
        private Pack4<TReal> z;
        private Pack4<TReal> w;

        public static Quad Load(ArrayView<TStorage> map, in Pack4<int> queries, int pack)
        {
            bool inside = queries.X >= 0;
            return new()
            {
                x = Read(map, inside, queries.X + pack),
                y = Read(map, inside, queries.Y + pack),
                z = Read(map, inside, queries.Z + pack),
                w = Read(map, inside, queries.W + pack),
            };
        }

        public readonly void AddTo(ref Pack4<TReal> sum, in Pack4<TReal> weight)
        {
            Pack4.Add(ref sum, weight.X, in x);
            Pack4.Add(ref sum, weight.Y, in y);
            Pack4.Add(ref sum, weight.Z, in z);
            Pack4.Add(ref sum, weight.W, in w);
        }

        // A condition for each read: the assembler makes a predicate of it, and no branch that the next read waits behind.
        private static Pack4<TReal> Read(ArrayView<TStorage> map, bool inside, int position)
        {
            var value = default(Pack4<TReal>);
            if (inside)
                value = TAccess.LoadNear<TElement, TStorage, TReal>(map, position, 0, 1, 4);
            return value;
        }
    }
}
