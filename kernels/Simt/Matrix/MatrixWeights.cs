using ILGPU;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// A lane's part of the weights of a block as first factors, two rows of eight positions to a factor; 0 for positions
/// that are not in a query's window.
/// </summary>
internal struct MatrixWeights<TMatrix, TWindow, TShape>
    where TMatrix : struct, IMatrixFormat
    where TWindow : struct, IWindow
    where TShape : struct, IChannelAccess
{
    private Pack4<uint> rows0;
    private Pack4<uint> rows2;
    private Pack4<uint> rows4;
    private Pack4<uint> rows6;

    /// <summary>Rounds weights to the format.</summary>
    public static MatrixWeights<TMatrix, TWindow, TShape> Round(in MatrixScores<TMatrix, TWindow, TShape> weights)
    {
        var result = default(MatrixWeights<TMatrix, TWindow, TShape>);
        result.rows0 = Round(in weights.Row0, in weights.Row1);
        result.rows2 = Round(in weights.Row2, in weights.Row3);
        if (MatrixBlock<TWindow, TShape>.Rows > 4)
            result.rows4 = Round(in weights.Row4, in weights.Row5);
        if (MatrixBlock<TWindow, TShape>.Rows > 6)
            result.rows6 = Round(in weights.Row6, in weights.Row7);
        return result;
    }

    /// <summary>Writes the rounded weights that belong to windows.</summary>
    public readonly void Write(in MatrixWindow<TWindow, TShape> window, ArrayView<float> array)
    {
        var scores = default(MatrixScores<TMatrix, TWindow, TShape>);
        scores.Row0 = Widen(rows0.X, rows0.Y);
        scores.Row1 = Widen(rows0.Z, rows0.W);
        scores.Row2 = Widen(rows2.X, rows2.Y);
        scores.Row3 = Widen(rows2.Z, rows2.W);
        scores.Row4 = Widen(rows4.X, rows4.Y);
        scores.Row5 = Widen(rows4.Z, rows4.W);
        scores.Row6 = Widen(rows6.X, rows6.Y);
        scores.Row7 = Widen(rows6.Z, rows6.W);
        scores.Write(in window, array);
    }

    /// <summary>Adds the products with 32 channels.</summary>
    /// <param name="sums">The sums.</param>
    /// <param name="values">Where the lane's row of the first two rows of positions lies, see <see cref="MatrixProduct{TMatrix}.Add"/>.</param>
    /// <param name="lastRow">
    /// Where the row lane mod 8 of the last row of positions lies, from channel 8·(lane / 8) on; where rows are odd.
    /// </param>
    /// <param name="rowBytes">From a row of positions to the next.</param>
    public readonly void AddTo(ref MatrixProduct<TMatrix> sums, uint values, uint lastRow, int rowBytes)
    {
        uint twoRows = (uint)(2 * rowBytes);
        sums.Add(in rows0, values);
        if (MatrixBlock<TWindow, TShape>.Rows == 3)
            sums.AddHalf(rows2.X, rows2.Y, lastRow);
        else
            sums.Add(in rows2, values + twoRows);
        if (MatrixBlock<TWindow, TShape>.Rows == 5)
            sums.AddHalf(rows4.X, rows4.Y, lastRow);
        if (MatrixBlock<TWindow, TShape>.Rows > 5)
            sums.Add(in rows4, values + 2 * twoRows);
        if (MatrixBlock<TWindow, TShape>.Rows > 7)
            sums.Add(in rows6, values + 3 * twoRows);
    }

    private static Pack4<uint> Round(in Pack4<float> first, in Pack4<float> second) => new()
    {
        X = TMatrix.Pair(first.X, first.Y),
        Y = TMatrix.Pair(first.Z, first.W),
        Z = TMatrix.Pair(second.X, second.Y),
        W = TMatrix.Pair(second.Z, second.W),
    };

    private static Pack4<float> Widen(uint upper, uint lower) => new()
    {
        X = TMatrix.Widen((ushort)upper),
        Y = TMatrix.Widen((ushort)(upper >> 16)),
        Z = TMatrix.Widen((ushort)lower),
        W = TMatrix.Widen((ushort)(lower >> 16)),
    };
}
