using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>The weights of the division by a norm in scratch memory.</summary>
internal static unsafe class PixelNormWeights
{
    /// <summary>Writes the weight of every channel, 1 where there are none, and 0 behind the last.</summary>
    public static void Fill<TStorage, TReal>(in PixelNormParameters<TStorage, TReal> parameters, TReal* weights, int count)
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        new Span<TReal>(weights, count).Clear();
        for (int channel = 0; channel < parameters.Channels; channel++)
        {
            weights[channel] = parameters.HasWeight == 0
                ? TReal.One
                : parameters.Weight.Data[parameters.Weight.Offset(0, channel, 0, 0)];
        }
    }
}
