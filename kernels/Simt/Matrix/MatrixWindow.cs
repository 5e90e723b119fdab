using ILGPU;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Which scalars of an array with one for each query and tap a lane holds in its matrices: those of the query
/// lane / 4 of a pair and of two neighbouring columns of positions.
/// </summary>
internal struct MatrixWindow<TWindow>
    where TWindow : struct, IWindow
{
    /// <summary>The scalars from a tap of a query to the next.</summary>
    public const int TapPitch = 8;

    /// <summary>The query of the pair.</summary>
    public int Query;

    // The column of the window, -1 for one that lies before it.
    private int column;
    private ArrayView<float> left;
    private ArrayView<float> right;

    /// <summary>Finds those of the running lane.</summary>
    public static MatrixWindow<TWindow> OfLane()
    {
        int lane = Group.IdxX & (CellPair.WarpSize - 1);
        int query = lane / 4;
        return new MatrixWindow<TWindow> { Query = query, column = 2 * (lane & 3) - query / 4 };
    }

    /// <summary>The scalars of an array.</summary>
    /// <param name="array">The array.</param>
    /// <param name="query">The scalar of the query's first tap.</param>
    public readonly MatrixWindow<TWindow> Of(ArrayView<float> array, int query)
    {
        // A column that lies before the window is not accessed, but a start must not be negative.
        var window = this;
        window.left = array.SubView(query + TapPitch * Math.Max(column, 0), 1);
        window.right = array.SubView(query + TapPitch * (column + 1), 1);
        return window;
    }

    /// <summary>Writes the scalars of a row of taps.</summary>
    public readonly void Write(int row, float leftValue, float rightValue)
    {
        if (column >= 0 & column < TWindow.Size(0))
            left[row * TWindow.Size(0) * TapPitch] = leftValue;
        if (column + 1 < TWindow.Size(0))
            right[row * TWindow.Size(0) * TapPitch] = rightValue;
    }

    /// <summary>Reads the scalars of a row of taps as a pair; 0 for what no window has.</summary>
    public readonly uint Read<TMatrix>(int row)
        where TMatrix : struct, IMatrixFormat
    {
        float leftValue = 0;
        float rightValue = 0;
        if (column >= 0 & column < TWindow.Size(0))
            leftValue = left[row * TWindow.Size(0) * TapPitch];
        if (column + 1 < TWindow.Size(0))
            rightValue = right[row * TWindow.Size(0) * TapPitch];
        return TMatrix.Pair(leftValue, rightValue);
    }
}
