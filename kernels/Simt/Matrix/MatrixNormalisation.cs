using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Scores to weights in the registers that matrix units leave the scores in: four lanes have the scores of two queries.
/// All lanes of a warp call together.
/// </summary>
internal static class MatrixNormalisation<TMatrix, TWindow, TShape>
    where TMatrix : struct, IMatrixFormat
    where TWindow : struct, IWindow
    where TShape : struct, IChannelAccess
{
    private static int Rows => MatrixBlock<TWindow, TShape>.Rows;

    /// <summary>Gives taps outside the map the score that they have.</summary>
    public static void SetOutside<TBorder>(
        in WindowExtent extent,
        in CellPairTile tile,
        in MatrixBlock<TWindow, TShape> block,
        in MatrixWindow<TWindow, TShape> window,
        ref MatrixScores<TMatrix, TWindow, TShape> scores)
        where TBorder : struct, IBorder
    {
        if (TBorder.Replicates || !tile.IsAtEdge<TWindow, TShape>(in extent))
            return;

        // The window of the first query, from the lane's left column on.
        int cell = block.Query(window.Query) / 4;
        int row = tile.CellRow<TShape>(cell) - TWindow.Size(0) / 2;
        int column = tile.CellColumn<TShape>(cell) - TWindow.Size(0) / 2 + window.Column;
        bool left = column >= 0 & column < extent.Width;
        bool right = column + 1 >= 0 & column + 1 < extent.Width;
        SetOutside<TBorder>(ref scores.Row0, IsInside(row, extent.Height), left, right);
        SetOutside<TBorder>(ref scores.Row1, IsInside(row + 1, extent.Height), left, right);
        SetOutside<TBorder>(ref scores.Row2, IsInside(row + 2, extent.Height), left, right);
        if (Rows > 3)
            SetOutside<TBorder>(ref scores.Row3, IsInside(row + 3, extent.Height), left, right);
        if (Rows > 4)
            SetOutside<TBorder>(ref scores.Row4, IsInside(row + 4, extent.Height), left, right);
        if (Rows > 5)
            SetOutside<TBorder>(ref scores.Row5, IsInside(row + 5, extent.Height), left, right);
        if (Rows > 6)
            SetOutside<TBorder>(ref scores.Row6, IsInside(row + 6, extent.Height), left, right);
        if (Rows > 7)
            SetOutside<TBorder>(ref scores.Row7, IsInside(row + 7, extent.Height), left, right);
    }

    /// <summary>Turns scores into weights, 0 for positions in no window.</summary>
    /// <returns>What is saved of the first and of the second query.</returns>
    public static (float First, float Second) Apply<TNormalisation>(
        in MatrixWindow<TWindow, TShape> window, ref MatrixScores<TMatrix, TWindow, TShape> scores)
        where TNormalisation : struct, IScoreNormalisation
    {
        float first = 0;
        float second = 0;
        if (TNormalisation.Shifts)
        {
            first = float.NegativeInfinity;
            second = float.NegativeInfinity;
            Raise(in window, ref first, ref second, 0, in scores.Row0);
            Raise(in window, ref first, ref second, 1, in scores.Row1);
            Raise(in window, ref first, ref second, 2, in scores.Row2);
            if (Rows > 3)
                Raise(in window, ref first, ref second, 3, in scores.Row3);
            if (Rows > 4)
                Raise(in window, ref first, ref second, 4, in scores.Row4);
            if (Rows > 5)
                Raise(in window, ref first, ref second, 5, in scores.Row5);
            if (Rows > 6)
                Raise(in window, ref first, ref second, 6, in scores.Row6);
            if (Rows > 7)
                Raise(in window, ref first, ref second, 7, in scores.Row7);
            first = TNormalisation.ShiftOf<MatrixElement<TMatrix>, ushort, float>(MatrixLanes.LargestOfFour(first));
            second = TNormalisation.ShiftOf<MatrixElement<TMatrix>, ushort, float>(MatrixLanes.LargestOfFour(second));
        }
        float firstSum = 0;
        float secondSum = 0;
        Weigh<TNormalisation>(in window, first, second, 0, ref scores.Row0, ref firstSum, ref secondSum);
        Weigh<TNormalisation>(in window, first, second, 1, ref scores.Row1, ref firstSum, ref secondSum);
        Weigh<TNormalisation>(in window, first, second, 2, ref scores.Row2, ref firstSum, ref secondSum);
        if (Rows > 3)
            Weigh<TNormalisation>(in window, first, second, 3, ref scores.Row3, ref firstSum, ref secondSum);
        if (Rows > 4)
            Weigh<TNormalisation>(in window, first, second, 4, ref scores.Row4, ref firstSum, ref secondSum);
        if (Rows > 5)
            Weigh<TNormalisation>(in window, first, second, 5, ref scores.Row5, ref firstSum, ref secondSum);
        if (Rows > 6)
            Weigh<TNormalisation>(in window, first, second, 6, ref scores.Row6, ref firstSum, ref secondSum);
        if (Rows > 7)
            Weigh<TNormalisation>(in window, first, second, 7, ref scores.Row7, ref firstSum, ref secondSum);
        firstSum = MatrixLanes.SumOfFour(firstSum);
        secondSum = MatrixLanes.SumOfFour(secondSum);
        if (TNormalisation.Divides)
        {
            float firstFactor = 1 / firstSum;
            float secondFactor = 1 / secondSum;
            Scale(ref scores.Row0, firstFactor, secondFactor);
            Scale(ref scores.Row1, firstFactor, secondFactor);
            Scale(ref scores.Row2, firstFactor, secondFactor);
            if (Rows > 3)
                Scale(ref scores.Row3, firstFactor, secondFactor);
            if (Rows > 4)
                Scale(ref scores.Row4, firstFactor, secondFactor);
            if (Rows > 5)
                Scale(ref scores.Row5, firstFactor, secondFactor);
            if (Rows > 6)
                Scale(ref scores.Row6, firstFactor, secondFactor);
            if (Rows > 7)
                Scale(ref scores.Row7, firstFactor, secondFactor);
        }
        return (
            ScoreWeights<MatrixElement<TMatrix>, ushort, float, TNormalisation>.Normaliser(first, firstSum),
            ScoreWeights<MatrixElement<TMatrix>, ushort, float, TNormalisation>.Normaliser(second, secondSum));
    }

    /// <summary>Saves what <see cref="Apply"/> returned.</summary>
    public static void Save<TScale, TReal>(
        in WindowExtent extent,
        in CellPairTile tile,
        int pack,
        in MatrixBlock<TWindow, TShape> block,
        (float First, float Second) normaliser,
        in MapView<TReal> map)
        where TScale : struct, IScale
        where TReal : unmanaged
    {
        int lane = Group.IdxX & (CellPair.WarpSize - 1);
        if ((lane & 3) != 0)
            return;
        Save<TScale, TReal>(in extent, in tile, pack, block.Query(lane / 4), normaliser.First, in map);
        Save<TScale, TReal>(in extent, in tile, pack, block.Query(lane / 4 + 8), normaliser.Second, in map);
    }

    private static void Save<TScale, TReal>(
        in WindowExtent extent, in CellPairTile tile, int pack, int item, float value, in MapView<TReal> map)
        where TScale : struct, IScale
        where TReal : unmanaged
    {
        long offset = tile.QueryOffset<TScale, TShape, TReal>(in extent, pack, item, in map);
        if (offset >= 0)
            map.Data.Cast<float>()[offset] = value;
    }

    private static bool IsInside(int row, int height) => row >= 0 & row < height;

    // A row of positions is at one place of the map for both queries.
    private static void SetOutside<TBorder>(ref Pack4<float> scores, bool row, bool left, bool right)
        where TBorder : struct, IBorder
    {
        float outside = TBorder.OutsideScore<float>();
        scores.X = row & left ? scores.X : outside;
        scores.Y = row & right ? scores.Y : outside;
        scores.Z = row & left ? scores.Z : outside;
        scores.W = row & right ? scores.W : outside;
    }

    private static void Raise(
        in MatrixWindow<TWindow, TShape> window, ref float first, ref float second, int row, in Pack4<float> scores)
    {
        if (MatrixWindow<TWindow, TShape>.IsRow(row))
        {
            first = Larger(first, scores.X, window.HasLeft);
            first = Larger(first, scores.Y, window.HasRight);
        }
        if (MatrixWindow<TWindow, TShape>.IsRow(MatrixWindow<TWindow, TShape>.LowerRow(row)))
        {
            second = Larger(second, scores.Z, window.HasLeft);
            second = Larger(second, scores.W, window.HasRight);
        }
    }

    private static float Larger(float largest, float score, bool counts) =>
        !(score <= largest) & counts ? score : largest;

    private static void Weigh<TNormalisation>(
        in MatrixWindow<TWindow, TShape> window,
        float first,
        float second,
        int row,
        ref Pack4<float> scores,
        ref float firstSum,
        ref float secondSum)
        where TNormalisation : struct, IScoreNormalisation
    {
        var weights = default(Pack4<float>);
        if (MatrixWindow<TWindow, TShape>.IsRow(row))
        {
            weights.X = Weight<TNormalisation>(scores.X - first, window.HasLeft);
            weights.Y = Weight<TNormalisation>(scores.Y - first, window.HasRight);
            firstSum += weights.X + weights.Y;
        }
        if (MatrixWindow<TWindow, TShape>.IsRow(MatrixWindow<TWindow, TShape>.LowerRow(row)))
        {
            weights.Z = Weight<TNormalisation>(scores.Z - second, window.HasLeft);
            weights.W = Weight<TNormalisation>(scores.W - second, window.HasRight);
            secondSum += weights.Z + weights.W;
        }
        scores = weights;
    }

    private static float Weight<TNormalisation>(float score, bool counts)
        where TNormalisation : struct, IScoreNormalisation
    {
        float weight = TNormalisation.Unnormalised<MatrixElement<TMatrix>, ushort, float>(score);
        return counts ? weight : 0;
    }

    private static void Scale(ref Pack4<float> weights, float first, float second)
    {
        weights.X *= first;
        weights.Y *= first;
        weights.Z *= second;
        weights.W *= second;
    }
}
