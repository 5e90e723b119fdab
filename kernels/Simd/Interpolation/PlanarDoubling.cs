using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>Whether an axis is doubled, which has its own steps because it is by far the most frequent ratio.</summary>
internal static class PlanarDoubling
{
    public static bool Fits(in SampleAxis axis) => axis.Output == 2 * axis.Input && axis.AlignCorners == 0;
}

/// <summary>
/// A row of a plane doubled linearly: output 2i is ¾ of input i and ¼ of the one before, output 2i + 1 is ¾ of input i
/// and ¼ of the one after; at either end the input stands for its neighbour.
/// </summary>
internal static unsafe class PlanarDoubling<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private static readonly TReal Near = TReal.CreateTruncating(0.75);
    private static readonly TReal Far = TReal.CreateTruncating(0.25);

    /// <summary>Doubles a row. The places before and behind it are overwritten.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Expand(TReal* row, TStorage* output, int count)
    {
        row[-1] = row[0];
        row[count] = row[count - 1];
        if (count >= TSimd.Lanes)
            ExpandVectors(row, output, count);
        else
            ExpandFew(row, output, count);
    }

    /// <summary>
    /// The adjoint, linear or nearest: gathers a row from one of twice its length, split into even and odd.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Contract<TSampling>(TReal* even, TReal* odd, TReal* row, int count)
        where TSampling : struct, ISampling
    {
        int lanes = TSimd.Lanes;
        var near = TSimd.Constant(0.75);
        var far = TSimd.Constant(0.25);
        int end = TSampling.Blends ? count - 1 : count;
        int i = TSampling.Blends ? 1 : 0;
        for (; i + lanes <= end; i += lanes)
        {
            var own = TSimd.Add(TSimd.Load(even + i), TSimd.Load(odd + i));
            if (TSampling.Blends)
            {
                var others = TSimd.Add(TSimd.Load(odd + i - 1), TSimd.Load(even + i + 1));
                own = TSimd.MultiplyAdd(far, others, TSimd.Multiply(near, own));
            }
            TSimd.Store(row + i, own);
        }
        for (; i < end; i++)
        {
            row[i] = even[i] + odd[i];
            if (TSampling.Blends)
                row[i] = Near * row[i] + Far * (odd[i - 1] + even[i + 1]);
        }
        if (!TSampling.Blends)
            return;
        if (count == 1)
        {
            row[0] = even[0] + odd[0];
            return;
        }
        row[0] = even[0] + Near * odd[0] + Far * even[1];
        row[count - 1] = odd[count - 1] + Near * even[count - 1] + Far * odd[count - 2];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ExpandVectors(TReal* row, TStorage* output, int count)
    {
        int lanes = TSimd.Lanes;
        var near = TSimd.Constant(0.75);
        var far = TSimd.Constant(0.25);
        for (int i = 0; i < count; i += lanes)
        {
            // The last vector overlaps the one before it.
            int at = Math.Min(i, count - lanes);
            var centre = TSimd.Multiply(near, TSimd.Load(row + at));
            var even = TSimd.MultiplyAdd(far, TSimd.Load(row + at - 1), centre);
            var odd = TSimd.MultiplyAdd(far, TSimd.Load(row + at + 1), centre);
            TSimd.StoreZipped(output + 2 * at, even, odd);
        }
    }

    private static void ExpandFew(TReal* row, TStorage* output, int count)
    {
        for (int i = 0; i < count; i++)
        {
            output[2 * i] = TSimd.Narrow(Near * row[i] + Far * row[i - 1]);
            output[2 * i + 1] = TSimd.Narrow(Near * row[i] + Far * row[i + 1]);
        }
    }
}
