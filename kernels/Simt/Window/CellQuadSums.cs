using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
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
    /// <param name="map">The map of the queries.</param>
    /// <param name="sources">The positions of the four queries of each cell; negative outside the map.</param>
    /// <param name="source">The first cell of the row.</param>
    /// <param name="weights">The weights, tap by tap for each cell of a quad.</param>
    /// <param name="weight">Those of the row for the upper left cell.</param>
    /// <param name="pack">The first pack of channels.</param>
    /// <param name="toSecond">From the first pack to the second.</param>
    /// <param name="upper">Whether the row is in the windows around the upper cells.</param>
    /// <param name="lower">Whether the row is in the windows around the lower cells.</param>
    public void AddRow(
        in MapView<TStorage> map,
        ArrayView<Pack4<int>> sources,
        int source,
        ArrayView<Pack4<TReal>> weights,
        int weight,
        int pack,
        int toSecond,
        bool upper,
        bool lower)
    {
        int window = TWindow.Size(0);
        var row = sources.SubView(source, 1);
        var above = weights.SubView(weight, 1);
        AddCell(in map, row[0], above, 0, pack, toSecond, upper, lower, true, false);
        AddCell(in map, row[1], above, 1, pack, toSecond, upper, lower, true, true);
        AddCell(in map, row[2], above, 2, pack, toSecond, upper, lower, true, true);
        AddCell(in map, row[3], above, 3, pack, toSecond, upper, lower, window > 3, true);
        if (window > 3)
        {
            AddCell(in map, row[4], above, 4, pack, toSecond, upper, lower, true, true);
            AddCell(in map, row[5], above, 5, pack, toSecond, upper, lower, window > 5, true);
        }
        if (window > 5)
        {
            AddCell(in map, row[6], above, 6, pack, toSecond, upper, lower, true, true);
            AddCell(in map, row[7], above, 7, pack, toSecond, upper, lower, false, true);
        }
    }

    private void AddCell(
        in MapView<TStorage> map,
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
        var weight0 = default(Pack4<TReal>);
        var weight1 = default(Pack4<TReal>);
        var weight2 = default(Pack4<TReal>);
        var weight3 = default(Pack4<TReal>);
        if (upper & left)
            weight0 = weights[column];
        if (upper & right)
            weight1 = weights[Taps + column - 1];
        if (lower & left)
            weight2 = weights[2 * Taps + column - TWindow.Size(0)];
        if (lower & right)
            weight3 = weights[3 * Taps + column - 1 - TWindow.Size(0)];
        var first = Quad.Load(in map, in queries, pack);
        if (upper & left)
            first.AddTo(ref First0, in weight0);
        if (upper & right)
            first.AddTo(ref First1, in weight1);
        if (lower & left)
            first.AddTo(ref First2, in weight2);
        if (lower & right)
            first.AddTo(ref First3, in weight3);
        var second = Quad.Load(in map, in queries, pack + toSecond);
        if (upper & left)
            second.AddTo(ref Second0, in weight0);
        if (upper & right)
            second.AddTo(ref Second1, in weight1);
        if (lower & left)
            second.AddTo(ref Second2, in weight2);
        if (lower & right)
            second.AddTo(ref Second3, in weight3);
    }

    /// <summary>A pack of channels of the four queries of a cell.</summary>
    private struct Quad
    {
        private Pack4<TReal> x;
        private Pack4<TReal> y;
        private Pack4<TReal> z;
        private Pack4<TReal> w;

        public static Quad Load(in MapView<TStorage> map, in Pack4<int> queries, int pack) => new()
        {
            x = TAccess.LoadNear<TElement, TStorage, TReal>(in map, queries.X + pack, 0, 1, 4),
            y = TAccess.LoadNear<TElement, TStorage, TReal>(in map, queries.Y + pack, 0, 1, 4),
            z = TAccess.LoadNear<TElement, TStorage, TReal>(in map, queries.Z + pack, 0, 1, 4),
            w = TAccess.LoadNear<TElement, TStorage, TReal>(in map, queries.W + pack, 0, 1, 4),
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
