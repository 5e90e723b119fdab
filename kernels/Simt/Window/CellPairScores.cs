using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The scores of one row of the windows of a cell pair, for the four queries of either cell: fields of a thread, so
/// that they stay in registers. A row of K taps of both windows covers K + 1 cells; A is the left cell, B the right one.
/// </summary>
internal struct CellPairScores<TReal, TWindow>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWindow : struct, IWindow
{
    private Pack4<TReal> a0;
    private Pack4<TReal> a1;
    private Pack4<TReal> a2;
    private Pack4<TReal> a3;
    private Pack4<TReal> a4;
    private Pack4<TReal> a5;
    private Pack4<TReal> a6;
    private Pack4<TReal> b0;
    private Pack4<TReal> b1;
    private Pack4<TReal> b2;
    private Pack4<TReal> b3;
    private Pack4<TReal> b4;
    private Pack4<TReal> b5;
    private Pack4<TReal> b6;

    /// <summary>Adds the products of four channels: K + 9 vector loads for 32·K multiply-adds.</summary>
    /// <param name="queries">The queries of both cells, <paramref name="queryPitch"/> packs from one to the next.</param>
    /// <param name="queryPitch">A constant.</param>
    /// <param name="keys">The cells of the row, <paramref name="keyPitch"/> packs from one to the next.</param>
    /// <param name="keyPitch">A constant.</param>
    public void Add(ArrayView<Pack4<TReal>> queries, int queryPitch, ArrayView<Pack4<TReal>> keys, int keyPitch)
    {
        int window = TWindow.Size(0);
        var a = QueryPack<TReal>.Load(queries, 0, queryPitch);
        var b = QueryPack<TReal>.Load(queries, 4 * queryPitch, queryPitch);
        a.AddDots(keys[0], ref a0);
        var key = keys[keyPitch];
        a.AddDots(key, ref a1);
        b.AddDots(key, ref b0);
        key = keys[2 * keyPitch];
        a.AddDots(key, ref a2);
        b.AddDots(key, ref b1);
        key = keys[3 * keyPitch];
        b.AddDots(key, ref b2);
        if (window > 3)
        {
            a.AddDots(key, ref a3);
            key = keys[4 * keyPitch];
            a.AddDots(key, ref a4);
            b.AddDots(key, ref b3);
            key = keys[5 * keyPitch];
            b.AddDots(key, ref b4);
        }
        if (window > 5)
        {
            a.AddDots(key, ref a5);
            key = keys[6 * keyPitch];
            a.AddDots(key, ref a6);
            b.AddDots(key, ref b5);
            b.AddDots(keys[7 * keyPitch], ref b6);
        }
    }

    /// <summary>Adds scores that another thread stored.</summary>
    public void Add(ArrayView<Pack4<TReal>> scores)
    {
        int window = TWindow.Size(0);
        Add(ref a0, scores[0]);
        Add(ref b0, scores[1]);
        Add(ref a1, scores[2]);
        Add(ref b1, scores[3]);
        Add(ref a2, scores[4]);
        Add(ref b2, scores[5]);
        if (window > 3)
        {
            Add(ref a3, scores[6]);
            Add(ref b3, scores[7]);
            Add(ref a4, scores[8]);
            Add(ref b4, scores[9]);
        }
        if (window > 5)
        {
            Add(ref a5, scores[10]);
            Add(ref b5, scores[11]);
            Add(ref a6, scores[12]);
            Add(ref b6, scores[13]);
        }
    }

    /// <summary>Stores the scores, tap by tap, those of the left cell first.</summary>
    public readonly void Store(ArrayView<Pack4<TReal>> scores)
    {
        int window = TWindow.Size(0);
        scores[0] = a0;
        scores[1] = b0;
        scores[2] = a1;
        scores[3] = b1;
        scores[4] = a2;
        scores[5] = b2;
        if (window > 3)
        {
            scores[6] = a3;
            scores[7] = b3;
            scores[8] = a4;
            scores[9] = b4;
        }
        if (window > 5)
        {
            scores[10] = a5;
            scores[11] = b5;
            scores[12] = a6;
            scores[13] = b6;
        }
    }

    private static void Add(ref Pack4<TReal> sum, Pack4<TReal> score)
    {
        sum.X += score.X;
        sum.Y += score.Y;
        sum.Z += score.Z;
        sum.W += score.W;
    }
}
