using System.Numerics;
using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>The three products between queries and cells; their depth is cut so that what is reread stays in the cache.</summary>
internal static unsafe class CrossProducts<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int Depth = 128;

    /// <summary>pairs[cell][query] = or += Σ over channels of cells[cell][channel]·across[channel][query].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compare(
        TReal* cells, int cellStride, TReal* across, TReal* pairs, int pairStride, int count, int channels, int queries, bool adds)
    {
        int panel = MatrixProduct<TSimd, TStorage, TReal, TVector>.PanelColumns;
        for (int first = 0; first < channels; first += Depth)
        {
            MatrixProduct<TSimd, TStorage, TReal, TVector>.Multiply(
                cells + first,
                cellStride,
                1,
                across + (nint)first * pairStride,
                panel,
                pairStride,
                pairs,
                pairStride,
                count,
                Math.Min(Depth, channels - first),
                queries,
                adds || first > 0);
        }
    }

    /// <summary>queries[query][channel] = or += Σ over cells of pairs[cell][query]·cells[cell][channel].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gather(
        TReal* pairs, int pairStride, TReal* cells, TReal* queries, int stride, int queryCount, int count, int channels, bool adds)
    {
        int panel = MatrixProduct<TSimd, TStorage, TReal, TVector>.PanelColumns;
        for (int first = 0; first < count; first += Depth)
        {
            MatrixProduct<TSimd, TStorage, TReal, TVector>.Multiply(
                pairs + (nint)first * pairStride,
                1,
                pairStride,
                cells + (nint)first * stride,
                panel,
                stride,
                queries,
                stride,
                queryCount,
                Math.Min(Depth, count - first),
                channels,
                adds || first > 0);
        }
    }

    /// <summary>cells[cell][channel] = or += Σ over queries of pairs[cell][query]·queries[query][channel].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Collect(
        TReal* pairs, int pairStride, TReal* queries, TReal* cells, int stride, int count, int queryCount, int channels, bool adds)
    {
        int panel = MatrixProduct<TSimd, TStorage, TReal, TVector>.PanelColumns;
        for (int first = 0; first < queryCount; first += Depth)
        {
            MatrixProduct<TSimd, TStorage, TReal, TVector>.Multiply(
                pairs + first,
                pairStride,
                1,
                queries + (nint)first * stride,
                panel,
                stride,
                cells,
                stride,
                count,
                Math.Min(Depth, queryCount - first),
                channels,
                adds || first > 0);
        }
    }
}
