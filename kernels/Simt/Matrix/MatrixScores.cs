using ILGPU;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// A lane's part of the scores of a block: sixteen queries and K + 1 rows of eight positions, the last of which pad.
/// </summary>
internal struct MatrixScores<TMatrix, TWindow>
    where TMatrix : struct, IMatrixFormat
    where TWindow : struct, IWindow
{
    private Pack4<float> row0;
    private Pack4<float> row1;
    private Pack4<float> row2;
    private Pack4<float> row3;
    private Pack4<float> row4;
    private Pack4<float> row5;
    private Pack4<float> row6;
    private Pack4<float> row7;

    /// <summary>Adds the products of sixteen channels.</summary>
    /// <param name="queries">Where the lane's row of the queries lies.</param>
    /// <param name="keys">Where its row of the first two rows of positions lies.</param>
    /// <param name="rowBytes">From a row of positions to the next.</param>
    public void Add(uint queries, uint keys, int rowBytes)
    {
        uint twoRows = (uint)(2 * rowBytes);
        var query = MatrixMemory.Load(queries);
        AddRows(ref row0, ref row1, in query, MatrixMemory.Load(keys));
        AddRows(ref row2, ref row3, in query, MatrixMemory.Load(keys + twoRows));
        if (TWindow.Size(0) > 3)
            AddRows(ref row4, ref row5, in query, MatrixMemory.Load(keys + 2 * twoRows));
        if (TWindow.Size(0) > 5)
            AddRows(ref row6, ref row7, in query, MatrixMemory.Load(keys + 3 * twoRows));
    }

    /// <summary>Stores what belongs to windows.</summary>
    public readonly void Store<TShape>(in MatrixBlock<TWindow, TShape> block, ArrayView<float> scores)
        where TShape : struct, IChannelAccess
    {
        var lane = MatrixWindow<TWindow>.OfLane();
        var upper = lane.Of(scores, MatrixBlock<TWindow, TShape>.InArray(block.Upper, lane.Query));
        var lower = lane.Of(scores, MatrixBlock<TWindow, TShape>.InArray(block.Lower, lane.Query));
        upper.Write(0, row0.X, row0.Y);
        upper.Write(1, row1.X, row1.Y);
        lower.Write(0, row1.Z, row1.W);
        upper.Write(2, row2.X, row2.Y);
        lower.Write(1, row2.Z, row2.W);
        lower.Write(2, row3.Z, row3.W);
        if (TWindow.Size(0) > 3)
        {
            upper.Write(3, row3.X, row3.Y);
            upper.Write(4, row4.X, row4.Y);
            lower.Write(3, row4.Z, row4.W);
            lower.Write(4, row5.Z, row5.W);
        }
        if (TWindow.Size(0) > 5)
        {
            upper.Write(5, row5.X, row5.Y);
            upper.Write(6, row6.X, row6.Y);
            lower.Write(5, row6.Z, row6.W);
            lower.Write(6, row7.Z, row7.W);
        }
    }

    private static void AddRows(
        ref Pack4<float> first, ref Pack4<float> second, in Pack4<uint> query, Pack4<uint> keys)
    {
        TMatrix.MultiplyAdd(ref first, in query, keys.X, keys.Y);
        TMatrix.MultiplyAdd(ref second, in query, keys.Z, keys.W);
    }
}
