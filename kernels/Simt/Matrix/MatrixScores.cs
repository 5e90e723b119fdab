using ILGPU;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// A lane's part of the scores, or of the weights, of a block: sixteen queries and up to eight rows of eight positions.
/// </summary>
internal struct MatrixScores<TMatrix, TWindow, TShape>
    where TMatrix : struct, IMatrixFormat
    where TWindow : struct, IWindow
    where TShape : struct, IChannelAccess
{
    /// <summary>The first row of positions.</summary>
    public Pack4<float> Row0;

    /// <summary>The second row.</summary>
    public Pack4<float> Row1;

    /// <summary>The third row.</summary>
    public Pack4<float> Row2;

    /// <summary>The fourth row, where there is one.</summary>
    public Pack4<float> Row3;

    /// <summary>The fifth row, where there is one.</summary>
    public Pack4<float> Row4;

    /// <summary>The sixth row, where there is one.</summary>
    public Pack4<float> Row5;

    /// <summary>The seventh row, where there is one.</summary>
    public Pack4<float> Row6;

    /// <summary>The eighth row, where there is one.</summary>
    public Pack4<float> Row7;

    /// <summary>Gets how many rows there are.</summary>
    public static int Rows => MatrixBlock<TWindow, TShape>.Rows;

    /// <summary>Adds the products of sixteen channels.</summary>
    /// <param name="queries">Where the lane's row of the queries lies.</param>
    /// <param name="keys">Where its row of the first two rows of positions lies.</param>
    /// <param name="rowBytes">From a row of positions to the next.</param>
    public void Add(uint queries, uint keys, int rowBytes)
    {
        uint twoRows = (uint)(2 * rowBytes);
        var query = MatrixMemory.Load(queries);
        AddRows(ref Row0, ref Row1, in query, MatrixMemory.Load(keys));
        keys += twoRows;
        if (Rows == 3)
            AddRow(ref Row2, in query, keys);
        else
            AddRows(ref Row2, ref Row3, in query, MatrixMemory.Load(keys));
        keys += twoRows;
        if (Rows == 5)
            AddRow(ref Row4, in query, keys);
        if (Rows > 5)
            AddRows(ref Row4, ref Row5, in query, MatrixMemory.Load(keys));
        if (Rows > 7)
            AddRows(ref Row6, ref Row7, in query, MatrixMemory.Load(keys + twoRows));
    }

    /// <summary>Writes what belongs to windows.</summary>
    public readonly void Write(in MatrixWindow<TWindow, TShape> window, ArrayView<float> array)
    {
        window.Write(array, 0, in Row0);
        window.Write(array, 1, in Row1);
        window.Write(array, 2, in Row2);
        if (Rows > 3)
            window.Write(array, 3, in Row3);
        if (Rows > 4)
            window.Write(array, 4, in Row4);
        if (Rows > 5)
            window.Write(array, 5, in Row5);
        if (Rows > 6)
            window.Write(array, 6, in Row6);
        if (Rows > 7)
            window.Write(array, 7, in Row7);
    }

    /// <summary>Reads what was written; 0 for what belongs to no window.</summary>
    public static MatrixScores<TMatrix, TWindow, TShape> Read(
        in MatrixWindow<TWindow, TShape> window, ArrayView<float> array)
    {
        var scores = default(MatrixScores<TMatrix, TWindow, TShape>);
        scores.Row0 = window.Read(array, 0);
        scores.Row1 = window.Read(array, 1);
        scores.Row2 = window.Read(array, 2);
        if (Rows > 3)
            scores.Row3 = window.Read(array, 3);
        if (Rows > 4)
            scores.Row4 = window.Read(array, 4);
        if (Rows > 5)
            scores.Row5 = window.Read(array, 5);
        if (Rows > 6)
            scores.Row6 = window.Read(array, 6);
        if (Rows > 7)
            scores.Row7 = window.Read(array, 7);
        return scores;
    }

    private static void AddRows(
        ref Pack4<float> first, ref Pack4<float> second, in Pack4<uint> query, Pack4<uint> keys)
    {
        TMatrix.MultiplyAdd(ref first, in query, keys.X, keys.Y);
        TMatrix.MultiplyAdd(ref second, in query, keys.Z, keys.W);
    }

    private static void AddRow(ref Pack4<float> row, in Pack4<uint> query, uint keys)
    {
        var pairs = MatrixMemory.LoadTwo(keys);
        TMatrix.MultiplyAdd(ref row, in query, pairs.X, pairs.Y);
    }
}
