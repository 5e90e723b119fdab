using System.Numerics;
using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// c = a·b or c += a·b on scratch memory, six rows and a panel of columns at a time, all accumulators in registers:
/// with 512 bits a panel is four vectors, twenty-four multiply-adds for ten loads; with fewer registers it is two.
/// </summary>
internal static unsafe class MatrixProduct<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int Rows = 6;

    /// <summary>Gets the columns of a panel.</summary>
    public static int PanelColumns => PanelVectors * TSimd.Lanes;

    private static int PanelVectors => TSimd.Lanes * sizeof(TReal) >= 64 ? 4 : 2;

    /// <summary>The columns rounded up to whole vectors.</summary>
    public static int WholeVectors(int columns) => (columns + TSimd.Lanes - 1) / TSimd.Lanes * TSimd.Lanes;

    /// <summary>The columns rounded up to whole panels.</summary>
    public static int WholePanels(int columns) => (columns + PanelColumns - 1) / PanelColumns * PanelColumns;

    /// <summary>
    /// Packs the transpose of a matrix into panels, [panel][input][output of the panel]: what b of a product with it
    /// is.
    /// </summary>
    /// <param name="matrix">
    /// Element (o, i) is at o·<paramref name="rowStride"/> + i·<paramref name="columnStride"/>.
    /// </param>
    /// <param name="rowStride">Elements from one row to the next.</param>
    /// <param name="columnStride">Elements from one column to the next.</param>
    /// <param name="outputs">The rows of the matrix.</param>
    /// <param name="inputs">The columns of the matrix.</param>
    /// <param name="packed">Space for <paramref name="inputs"/> times the outputs in whole panels.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(TReal* matrix, nint rowStride, nint columnStride, int outputs, int inputs, TReal* packed)
    {
        int panel = PanelColumns;
        for (int output = 0; output < outputs; output += panel)
        {
            int count = Math.Min(panel, outputs - output);
            if (count < panel)
                new Span<TReal>(packed, inputs * panel).Clear();
            TReal* first = matrix + output * rowStride;
            if (columnStride == 1)
            {
                Transposition.Run(first, rowStride, packed, panel, count, inputs, TSimd.Lanes * sizeof(TReal));
            }
            else
            {
                for (int input = 0; input < inputs; input++)
                    StridedCopy.Gather(first + input * columnStride, rowStride, packed + (nint)input * panel, count);
            }
            packed += (nint)inputs * panel;
        }
    }

    /// <summary>A product, panel by panel.</summary>
    /// <param name="a">Element (r, k) is at r·<paramref name="aRow"/> + k·<paramref name="aStep"/>.</param>
    /// <param name="aRow">Elements from one row of a to the next.</param>
    /// <param name="aStep">Elements from one column of a to the next.</param>
    /// <param name="b">Row k of panel p starts at p·<paramref name="bPanel"/> + k·<paramref name="bRow"/>.</param>
    /// <param name="bPanel">Elements from one panel of b to the next.</param>
    /// <param name="bRow">Elements from one row of b to the next.</param>
    /// <param name="c">Row r starts at r·<paramref name="cRow"/>.</param>
    /// <param name="cRow">Elements from one row of c to the next.</param>
    /// <param name="rows">The rows of a and c.</param>
    /// <param name="depth">The columns of a, the rows of b.</param>
    /// <param name="columns">The columns of b and c; all vectors that they touch are computed.</param>
    /// <param name="adds">Whether the product is added to what c holds.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        TReal* a,
        nint aRow,
        nint aStep,
        TReal* b,
        nint bPanel,
        nint bRow,
        TReal* c,
        nint cRow,
        int rows,
        int depth,
        int columns,
        bool adds)
    {
        int panel = PanelColumns;
        for (int column = 0; column < columns; column += panel)
        {
            MultiplyPanel(
                a, aRow, aStep, b, bRow, c + column, cRow, rows, depth, Math.Min(panel, columns - column), adds);
            b += bPanel;
        }
    }

    /// <summary>A product of which b and c are one panel, or its first vectors.</summary>
    /// <inheritdoc cref="Multiply" path="/param"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyPanel(
        TReal* a,
        nint aRow,
        nint aStep,
        TReal* b,
        nint bRow,
        TReal* c,
        nint cRow,
        int rows,
        int depth,
        int columns,
        bool adds)
    {
        int lanes = TSimd.Lanes;
        for (int row = 0; row < rows; row += Rows)
        {
            int count = Math.Min(Rows, rows - row);
            int column = 0;
            if (PanelVectors == 4)
            {
                for (; column + 2 * lanes < columns; column += 4 * lanes)
                    SixByFour(
                        a + row * aRow,
                        aRow,
                        aStep,
                        b + column,
                        bRow,
                        c + row * cRow + column,
                        cRow,
                        count,
                        depth,
                        adds);
            }
            for (; column < columns; column += 2 * lanes)
                SixByTwo(
                    a + row * aRow, aRow, aStep, b + column, bRow, c + row * cRow + column, cRow, count, depth, adds);
        }
    }

    // Rows past the last repeat it and are not kept.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixByFour(
        TReal* a, nint aRow, nint aStep, TReal* b, nint bRow, TReal* c, nint cRow, int rows, int depth, bool adds)
    {
        int lanes = TSimd.Lanes;
        TReal* a1 = a + Math.Min(1, rows - 1) * aRow;
        TReal* a2 = a + Math.Min(2, rows - 1) * aRow;
        TReal* a3 = a + Math.Min(3, rows - 1) * aRow;
        TReal* a4 = a + Math.Min(4, rows - 1) * aRow;
        TReal* a5 = a + Math.Min(5, rows - 1) * aRow;
        var zero = TSimd.Constant(0.0);
        TVector s00 = zero, s01 = zero, s02 = zero, s03 = zero;
        TVector s10 = zero, s11 = zero, s12 = zero, s13 = zero;
        TVector s20 = zero, s21 = zero, s22 = zero, s23 = zero;
        TVector s30 = zero, s31 = zero, s32 = zero, s33 = zero;
        TVector s40 = zero, s41 = zero, s42 = zero, s43 = zero;
        TVector s50 = zero, s51 = zero, s52 = zero, s53 = zero;
        nint at = 0;
        for (int k = 0; k < depth; k++)
        {
            var b0 = TSimd.Load(b);
            var b1 = TSimd.Load(b + lanes);
            var b2 = TSimd.Load(b + 2 * lanes);
            var b3 = TSimd.Load(b + 3 * lanes);
            var x = TSimd.Broadcast(a[at]);
            s00 = TSimd.MultiplyAdd(x, b0, s00);
            s01 = TSimd.MultiplyAdd(x, b1, s01);
            s02 = TSimd.MultiplyAdd(x, b2, s02);
            s03 = TSimd.MultiplyAdd(x, b3, s03);
            x = TSimd.Broadcast(a1[at]);
            s10 = TSimd.MultiplyAdd(x, b0, s10);
            s11 = TSimd.MultiplyAdd(x, b1, s11);
            s12 = TSimd.MultiplyAdd(x, b2, s12);
            s13 = TSimd.MultiplyAdd(x, b3, s13);
            x = TSimd.Broadcast(a2[at]);
            s20 = TSimd.MultiplyAdd(x, b0, s20);
            s21 = TSimd.MultiplyAdd(x, b1, s21);
            s22 = TSimd.MultiplyAdd(x, b2, s22);
            s23 = TSimd.MultiplyAdd(x, b3, s23);
            x = TSimd.Broadcast(a3[at]);
            s30 = TSimd.MultiplyAdd(x, b0, s30);
            s31 = TSimd.MultiplyAdd(x, b1, s31);
            s32 = TSimd.MultiplyAdd(x, b2, s32);
            s33 = TSimd.MultiplyAdd(x, b3, s33);
            x = TSimd.Broadcast(a4[at]);
            s40 = TSimd.MultiplyAdd(x, b0, s40);
            s41 = TSimd.MultiplyAdd(x, b1, s41);
            s42 = TSimd.MultiplyAdd(x, b2, s42);
            s43 = TSimd.MultiplyAdd(x, b3, s43);
            x = TSimd.Broadcast(a5[at]);
            s50 = TSimd.MultiplyAdd(x, b0, s50);
            s51 = TSimd.MultiplyAdd(x, b1, s51);
            s52 = TSimd.MultiplyAdd(x, b2, s52);
            s53 = TSimd.MultiplyAdd(x, b3, s53);
            at += aStep;
            b += bRow;
        }
        Keep(c, s00, s01, s02, s03, adds);
        if (rows > 1)
            Keep(c + cRow, s10, s11, s12, s13, adds);
        if (rows > 2)
            Keep(c + 2 * cRow, s20, s21, s22, s23, adds);
        if (rows > 3)
            Keep(c + 3 * cRow, s30, s31, s32, s33, adds);
        if (rows > 4)
            Keep(c + 4 * cRow, s40, s41, s42, s43, adds);
        if (rows > 5)
            Keep(c + 5 * cRow, s50, s51, s52, s53, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixByTwo(
        TReal* a, nint aRow, nint aStep, TReal* b, nint bRow, TReal* c, nint cRow, int rows, int depth, bool adds)
    {
        int lanes = TSimd.Lanes;
        TReal* a1 = a + Math.Min(1, rows - 1) * aRow;
        TReal* a2 = a + Math.Min(2, rows - 1) * aRow;
        TReal* a3 = a + Math.Min(3, rows - 1) * aRow;
        TReal* a4 = a + Math.Min(4, rows - 1) * aRow;
        TReal* a5 = a + Math.Min(5, rows - 1) * aRow;
        var zero = TSimd.Constant(0.0);
        TVector s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero;
        TVector s30 = zero, s31 = zero, s40 = zero, s41 = zero, s50 = zero, s51 = zero;
        nint at = 0;
        for (int k = 0; k < depth; k++)
        {
            var b0 = TSimd.Load(b);
            var b1 = TSimd.Load(b + lanes);
            var x = TSimd.Broadcast(a[at]);
            s00 = TSimd.MultiplyAdd(x, b0, s00);
            s01 = TSimd.MultiplyAdd(x, b1, s01);
            x = TSimd.Broadcast(a1[at]);
            s10 = TSimd.MultiplyAdd(x, b0, s10);
            s11 = TSimd.MultiplyAdd(x, b1, s11);
            x = TSimd.Broadcast(a2[at]);
            s20 = TSimd.MultiplyAdd(x, b0, s20);
            s21 = TSimd.MultiplyAdd(x, b1, s21);
            x = TSimd.Broadcast(a3[at]);
            s30 = TSimd.MultiplyAdd(x, b0, s30);
            s31 = TSimd.MultiplyAdd(x, b1, s31);
            x = TSimd.Broadcast(a4[at]);
            s40 = TSimd.MultiplyAdd(x, b0, s40);
            s41 = TSimd.MultiplyAdd(x, b1, s41);
            x = TSimd.Broadcast(a5[at]);
            s50 = TSimd.MultiplyAdd(x, b0, s50);
            s51 = TSimd.MultiplyAdd(x, b1, s51);
            at += aStep;
            b += bRow;
        }
        Keep(c, s00, s01, adds);
        if (rows > 1)
            Keep(c + cRow, s10, s11, adds);
        if (rows > 2)
            Keep(c + 2 * cRow, s20, s21, adds);
        if (rows > 3)
            Keep(c + 3 * cRow, s30, s31, adds);
        if (rows > 4)
            Keep(c + 4 * cRow, s40, s41, adds);
        if (rows > 5)
            Keep(c + 5 * cRow, s50, s51, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(TReal* sum, TVector a, TVector b, TVector c, TVector d, bool adds)
    {
        Keep(sum, a, b, adds);
        Keep(sum + 2 * TSimd.Lanes, c, d, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(TReal* sum, TVector a, TVector b, bool adds)
    {
        if (adds)
        {
            a = TSimd.Add(TSimd.Load(sum), a);
            b = TSimd.Add(TSimd.Load(sum + TSimd.Lanes), b);
        }
        TSimd.Store(sum, a);
        TSimd.Store(sum + TSimd.Lanes, b);
    }
}
