using System.Numerics;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simt;

/// <summary>Which cells the queries of a thread see, one of each component of its scores.</summary>
internal struct CrossSight
{
    private Pack4<int> x;
    private Pack4<int> y;
    private Pack4<int> z;
    private Pack4<int> w;

    /// <summary>Reads it.</summary>
    public static CrossSight Read<TProducts, TState, TReal>(in CrossTileShared<TReal> shared)
        where TProducts : struct, ICrossProducts<TReal, TState>
        where TState : struct
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var queries = TProducts.QueriesOfBlock();
        return new CrossSight
        {
            x = shared.Ranges[queries.X],
            y = shared.Ranges[queries.Y],
            z = shared.Ranges[queries.Z],
            w = shared.Ranges[queries.W],
        };
    }

    /// <summary>Gives what is not seen the score −∞.</summary>
    public readonly void Hide<TReal>(ref Pack4<float> scores, Pack4<int> cells, in CrossTileShared<TReal> shared)
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        scores.X = Hide(scores.X, x, shared.CellRows[cells.X], shared.CellColumns[cells.X]);
        scores.Y = Hide(scores.Y, y, shared.CellRows[cells.Y], shared.CellColumns[cells.Y]);
        scores.Z = Hide(scores.Z, z, shared.CellRows[cells.Z], shared.CellColumns[cells.Z]);
        scores.W = Hide(scores.W, w, shared.CellRows[cells.W], shared.CellColumns[cells.W]);
    }

    private static float Hide(float score, Pack4<int> range, int row, int column) =>
        row >= range.X & row < range.Y & column >= range.Z & column < range.W ? score : float.NegativeInfinity;
}
