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
        AddCell(map, row[0], above, 0, pack, toSecond, upper, lower, true, false);
        AddCell(map, row[1], above, 1, pack, toSecond, upper, lower, true, true);
        AddCell(map, row[2], above, 2, pack, toSecond, upper, lower, true, true);
        AddCell(map, row[3], above, 3, pack, toSecond, upper, lower, window > 3, true);
        if (window > 3)
        {
            AddCell(map, row[4], above, 4, pack, toSecond, upper, lower, true, true);
            AddCell(map, row[5], above, 5, pack, toSecond, upper, lower, window > 5, true);
        }
        if (window > 5)
        {
            AddCell(map, row[6], above, 6, pack, toSecond, upper, lower, true, true);
            AddCell(map, row[7], above, 7, pack, toSecond, upper, lower, false, true);
        }
    }

    private void AddCell(
        ArrayView<TStorage> map,
        Pack4<int> queries,
        ArrayView<Pack4<TReal>> weights,
        int column,
        int pack,
        int toSecond,
        bool upper,
        bool lower,
        bool left,
        bool right)
    {
        if (queries.X < 0)
            return;
        var first = Quad.Load(map, in queries, pack);
        var second = Quad.Load(map, in queries, pack + toSecond);
        if (upper)
        {
            if (left)
                Add(in first, in second, weights[column], ref First0, ref Second0);
            if (right)
                Add(in first, in second, weights[Taps + column - 1], ref First1, ref Second1);
        }
        if (lower)
        {
            if (left)
                Add(in first, in second, weights[2 * Taps + column - TWindow.Size(0)], ref First2, ref Second2);
            if (right)
                Add(in first, in second, weights[3 * Taps + column - 1 - TWindow.Size(0)], ref First3, ref Second3);
        }
    }

    private static void Add(
        in Quad first, in Quad second, Pack4<TReal> weight, ref Pack4<TReal> firstSum, ref Pack4<TReal> secondSum)
    {
        first.AddTo(ref firstSum, in weight);
        second.AddTo(ref secondSum, in weight);
    }

    /// <summary>A pack of channels of the four queries of a cell.</summary>
    private struct Quad
    {
        private Pack4<TReal> x;
        private Pack4<TReal> y;
        private Pack4<TReal> z;
        private Pack4<TReal> w;

        public static Quad Load(ArrayView<TStorage> map, in Pack4<int> queries, int pack) => new()
        {
            x = TAccess.LoadNear<TElement, TStorage, TReal>(map, queries.X + pack, 0, 1, 4),
            y = TAccess.LoadNear<TElement, TStorage, TReal>(map, queries.Y + pack, 0, 1, 4),
            z = TAccess.LoadNear<TElement, TStorage, TReal>(map, queries.Z + pack, 0, 1, 4),
            w = TAccess.LoadNear<TElement, TStorage, TReal>(map, queries.W + pack, 0, 1, 4),
        };

        public readonly void AddTo(ref Pack4<TReal> sum, in Pack4<TReal> weight)
        {
            Pack4.Add(ref sum, weight.X, in x);
            Pack4.Add(ref sum, weight.Y, in y);
            Pack4.Add(ref sum, weight.Z, in z);
            Pack4.Add(ref sum, weight.W, in w);
        }
    }
}
