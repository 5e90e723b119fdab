using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>What the programs that sample at points share: runs of queries, and the place of a point of a query.</summary>
internal static unsafe class PointRun<TStorage, T>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The queries of a tile.</summary>
    public const int Length = 16;

    /// <summary>All queries, as pixels with some channels.</summary>
    public static PointwiseExtent Extent(in PointSamplingParameters<TStorage> parameters) => new()
    {
        Batch = parameters.Batch,
        Height = parameters.Rows.Queries,
        Width = parameters.Columns.Queries,
        InputChannels = parameters.Groups * parameters.GroupChannels,
        OutputChannels = parameters.Groups * parameters.GroupChannels,
    };

    /// <summary>Finds a point of a query; offsets are those of the query, across before down.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryLocate(
        in PointSamplingParameters<TStorage> parameters, T* offsets, int point, int cellRow, int cellColumn, out PointPlace<T> place) =>
        PointPlace<T>.TryLocate(
            cellRow,
            cellColumn,
            offsets[2 * point + 1],
            offsets[2 * point],
            parameters.Rows.Cells,
            parameters.Columns.Cells,
            out place);
}

/// <summary>A cell that a sum over points reads, and its factor.</summary>
internal unsafe struct PointTerm<TStorage, T>
    where TStorage : unmanaged
    where T : unmanaged
{
    public TStorage* Cell;
    public T Factor;
}

/// <summary>Sums over points, with the lanes over channels.</summary>
internal static unsafe class PointSums<TSimd, TStorage, T, TVector>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    /// <summary>sums += Σ factor · cell over the terms.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(PointTerm<TStorage, T>* terms, int count, T* sums, int channels)
    {
        int lanes = TSimd.Lanes;
        int channel = 0;
        for (; channel + 4 * lanes <= channels; channel += 4 * lanes)
        {
            T* sum = sums + channel;
            var s0 = TSimd.Load(sum);
            var s1 = TSimd.Load(sum + lanes);
            var s2 = TSimd.Load(sum + 2 * lanes);
            var s3 = TSimd.Load(sum + 3 * lanes);
            for (int i = 0; i < count; i++)
            {
                TStorage* cell = terms[i].Cell + channel;
                var factor = TSimd.Broadcast(terms[i].Factor);
                s0 = TSimd.MultiplyAdd(factor, TSimd.LoadStorage(cell), s0);
                s1 = TSimd.MultiplyAdd(factor, TSimd.LoadStorage(cell + lanes), s1);
                s2 = TSimd.MultiplyAdd(factor, TSimd.LoadStorage(cell + 2 * lanes), s2);
                s3 = TSimd.MultiplyAdd(factor, TSimd.LoadStorage(cell + 3 * lanes), s3);
            }
            TSimd.Store(sum, s0);
            TSimd.Store(sum + lanes, s1);
            TSimd.Store(sum + 2 * lanes, s2);
            TSimd.Store(sum + 3 * lanes, s3);
        }
        for (; channel + lanes <= channels; channel += lanes)
        {
            var sum = TSimd.Load(sums + channel);
            for (int i = 0; i < count; i++)
                sum = TSimd.MultiplyAdd(TSimd.Broadcast(terms[i].Factor), TSimd.LoadStorage(terms[i].Cell + channel), sum);
            TSimd.Store(sums + channel, sum);
        }
        for (; channel < channels; channel++)
        {
            for (int i = 0; i < count; i++)
                sums[channel] += terms[i].Factor * TSimd.Widen(terms[i].Cell[channel]);
        }
    }
}
