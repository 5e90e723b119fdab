using ILGPU;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// A lane's part of the weights of a block as first factors, two rows of eight positions to a factor; 0 for positions
/// that are not in a query's window.
/// </summary>
internal struct MatrixWeights<TMatrix, TWindow>
    where TMatrix : struct, IMatrixFormat
    where TWindow : struct, IWindow
{
    /// <summary>The first two rows.</summary>
    public Pack4<uint> Rows0;

    /// <summary>The next two rows.</summary>
    public Pack4<uint> Rows2;

    /// <summary>The next two rows; where the window has them.</summary>
    public Pack4<uint> Rows4;

    /// <summary>The last two rows; where the window has them.</summary>
    public Pack4<uint> Rows6;

    /// <summary>Rounds the weights of an array to the format.</summary>
    public static MatrixWeights<TMatrix, TWindow> Load<TShape>(
        in MatrixBlock<TWindow, TShape> block, ArrayView<float> weights)
        where TShape : struct, IChannelAccess
    {
        var lane = MatrixWindow<TWindow>.OfLane();
        var upper = lane.Of(weights, MatrixBlock<TWindow, TShape>.InArray(block.Upper, lane.Query));
        var lower = lane.Of(weights, MatrixBlock<TWindow, TShape>.InArray(block.Lower, lane.Query));
        var result = default(MatrixWeights<TMatrix, TWindow>);
        result.Rows0 = Load(in upper, in lower, 0);
        result.Rows2 = Load(in upper, in lower, 2);
        if (TWindow.Size(0) > 3)
            result.Rows4 = Load(in upper, in lower, 4);
        if (TWindow.Size(0) > 5)
            result.Rows6 = Load(in upper, in lower, 6);
        return result;
    }

    // The first row is not in the windows of the lower cells, the last one not in those of the upper ones.
    private static Pack4<uint> Load(in MatrixWindow<TWindow> upper, in MatrixWindow<TWindow> lower, int row) => new()
    {
        X = upper.Read<TMatrix>(row),
        Y = row > 0 ? lower.Read<TMatrix>(row - 1) : 0,
        Z = row + 1 < TWindow.Size(0) ? upper.Read<TMatrix>(row + 1) : 0,
        W = lower.Read<TMatrix>(row),
    };
}
