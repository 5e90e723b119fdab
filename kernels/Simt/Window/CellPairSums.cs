using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Four channels of the sums of the four queries of either cell of a pair; A is the left cell.</summary>
internal struct CellPairSums<TReal, TWindow>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWindow : struct, IWindow
{
    /// <summary>The first query of the left cell.</summary>
    public Pack4<TReal> A0;

    /// <summary>The second query of the left cell.</summary>
    public Pack4<TReal> A1;

    /// <summary>The third query of the left cell.</summary>
    public Pack4<TReal> A2;

    /// <summary>The fourth query of the left cell.</summary>
    public Pack4<TReal> A3;

    /// <summary>The first query of the right cell.</summary>
    public Pack4<TReal> B0;

    /// <summary>The second query of the right cell.</summary>
    public Pack4<TReal> B1;

    /// <summary>The third query of the right cell.</summary>
    public Pack4<TReal> B2;

    /// <summary>The fourth query of the right cell.</summary>
    public Pack4<TReal> B3;

    /// <summary>Adds a row of the windows to two packs of channels, which lie four packs apart.</summary>
    /// <param name="low">The sums of the first pack.</param>
    /// <param name="high">The sums of the second pack.</param>
    /// <param name="values">The first pack of the K + 1 cells of the row, a pitch apart.</param>
    /// <param name="pitch">A constant.</param>
    /// <param name="weights">The weights of the row, tap by tap, those of the left cell first.</param>
    public static void AddRow(
        ref CellPairSums<TReal, TWindow> low,
        ref CellPairSums<TReal, TWindow> high,
        ArrayView<Pack4<TReal>> values,
        int pitch,
        ArrayView<Pack4<TReal>> weights)
    {
        int window = TWindow.Size(0);
        AddLeft(ref low, ref high, values, 0, weights[0]);
        AddBoth(ref low, ref high, values, pitch, weights[1], weights[2]);
        AddBoth(ref low, ref high, values, 2 * pitch, weights[3], weights[4]);
        if (window == 3)
            AddRight(ref low, ref high, values, 3 * pitch, weights[5]);
        if (window > 3)
        {
            AddBoth(ref low, ref high, values, 3 * pitch, weights[5], weights[6]);
            AddBoth(ref low, ref high, values, 4 * pitch, weights[7], weights[8]);
        }
        if (window == 5)
            AddRight(ref low, ref high, values, 5 * pitch, weights[9]);
        if (window > 5)
        {
            AddBoth(ref low, ref high, values, 5 * pitch, weights[9], weights[10]);
            AddBoth(ref low, ref high, values, 6 * pitch, weights[11], weights[12]);
            AddRight(ref low, ref high, values, 7 * pitch, weights[13]);
        }
    }

    private static void AddLeft(
        ref CellPairSums<TReal, TWindow> low,
        ref CellPairSums<TReal, TWindow> high,
        ArrayView<Pack4<TReal>> values,
        int at,
        Pack4<TReal> left)
    {
        low.AddLeft(left, values[at]);
        high.AddLeft(left, values[at + CellPair.Lanes]);
    }

    private static void AddRight(
        ref CellPairSums<TReal, TWindow> low,
        ref CellPairSums<TReal, TWindow> high,
        ArrayView<Pack4<TReal>> values,
        int at,
        Pack4<TReal> right)
    {
        low.AddRight(right, values[at]);
        high.AddRight(right, values[at + CellPair.Lanes]);
    }

    // A cell is a tap of the right window and the next tap of the left one.
    private static void AddBoth(
        ref CellPairSums<TReal, TWindow> low,
        ref CellPairSums<TReal, TWindow> high,
        ArrayView<Pack4<TReal>> values,
        int at,
        Pack4<TReal> right,
        Pack4<TReal> left)
    {
        var value = values[at];
        low.AddRight(right, value);
        low.AddLeft(left, value);
        value = values[at + CellPair.Lanes];
        high.AddRight(right, value);
        high.AddLeft(left, value);
    }

    private void AddLeft(Pack4<TReal> weight, Pack4<TReal> value)
    {
        Pack4.Add(ref A0, weight.X, in value);
        Pack4.Add(ref A1, weight.Y, in value);
        Pack4.Add(ref A2, weight.Z, in value);
        Pack4.Add(ref A3, weight.W, in value);
    }

    private void AddRight(Pack4<TReal> weight, Pack4<TReal> value)
    {
        Pack4.Add(ref B0, weight.X, in value);
        Pack4.Add(ref B1, weight.Y, in value);
        Pack4.Add(ref B2, weight.Z, in value);
        Pack4.Add(ref B3, weight.W, in value);
    }
}
