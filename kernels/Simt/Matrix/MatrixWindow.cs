using ILGPU;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// What a lane holds of the scores or weights of a block: two neighbouring columns of positions of the queries
/// r = lane / 4 and r + 8, whose cells are in one column; which taps of their windows these are, and where they are in an
/// array with a scalar for each query and tap.
/// </summary>
internal struct MatrixWindow<TWindow, TShape>
    where TWindow : struct, IWindow
    where TShape : struct, IChannelAccess
{
    /// <summary>The scalars from a tap of a query to the next.</summary>
    public const int TapPitch = 8;

    /// <summary>The first query.</summary>
    public int Query;

    /// <summary>The column of the window of the left column of positions, -3 to -1 for one that lies before it.</summary>
    public int Column;

    /// <summary>Whether the left column is one of the window.</summary>
    public bool HasLeft;

    /// <summary>Whether the right column is one of the window.</summary>
    public bool HasRight;

    private int upper;
    private int lower;

    /// <summary>Finds those of the running lane.</summary>
    public static MatrixWindow<TWindow, TShape> OfLane(in MatrixBlock<TWindow, TShape> block)
    {
        int lane = Group.IdxX & (CellPair.WarpSize - 1);
        int query = lane / 4;
        int column = 2 * (lane & 3) - MatrixBlock<TWindow, TShape>.CellColumn(query);
        return new MatrixWindow<TWindow, TShape>
        {
            Query = query,
            Column = column,
            HasLeft = column >= 0 & column < TWindow.Size(0),
            HasRight = column + 1 >= 0 & column + 1 < TWindow.Size(0),
            upper = block.InArray(query) + TapPitch * column,
            lower = block.InArray(query + 8) + TapPitch * column,
        };
    }

    /// <summary>The row of the window of the last eight queries that a row of positions is.</summary>
    public static int LowerRow(int row) => row - MatrixBlock<TWindow, TShape>.RowsAbove;

    /// <summary>Whether a number is that of a row of the window.</summary>
    public static bool IsRow(int row) => row >= 0 & row < TWindow.Size(0);

    /// <summary>Writes the scalars of a row of positions: X and Y of the first query, Z and W of the second.</summary>
    public readonly void Write(ArrayView<float> array, int row, in Pack4<float> values)
    {
        if (IsRow(row))
            Write(array, upper + row * TWindow.Size(0) * TapPitch, values.X, values.Y);
        if (IsRow(LowerRow(row)))
            Write(array, lower + LowerRow(row) * TWindow.Size(0) * TapPitch, values.Z, values.W);
    }

    /// <summary>Reads the scalars of a row of positions; 0 for what no window has.</summary>
    public readonly Pack4<float> Read(ArrayView<float> array, int row)
    {
        var values = default(Pack4<float>);
        if (IsRow(row))
        {
            int at = upper + row * TWindow.Size(0) * TapPitch;
            if (HasLeft)
                values.X = array[at];
            if (HasRight)
                values.Y = array[at + TapPitch];
        }
        if (IsRow(LowerRow(row)))
        {
            int at = lower + LowerRow(row) * TWindow.Size(0) * TapPitch;
            if (HasLeft)
                values.Z = array[at];
            if (HasRight)
                values.W = array[at + TapPitch];
        }
        return values;
    }

    private readonly void Write(ArrayView<float> array, int at, float left, float right)
    {
        if (HasLeft)
            array[at] = left;
        if (HasRight)
            array[at + TapPitch] = right;
    }
}
