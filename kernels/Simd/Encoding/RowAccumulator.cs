using System.Numerics;
using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>Sums of staged pixels.</summary>
internal static unsafe class RowAccumulator<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    /// <summary>total += factor·values, over whole vectors of channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(TReal* values, TReal* total, int channels, TReal factor)
    {
        var scale = TSimd.Broadcast(factor);
        for (int channel = 0; channel < channels; channel += TSimd.Lanes)
        {
            TSimd.Store(
                total + channel, TSimd.MultiplyAdd(TSimd.Load(values + channel), scale, TSimd.Load(total + channel)));
        }
    }
}
