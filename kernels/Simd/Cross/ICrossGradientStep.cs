using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>What a pass over tiles of queries computes of each: results of the queries, and sums of the cells.</summary>
internal unsafe interface ICrossGradientStep<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    /// <summary>Gets the derivative, which tells what has to be staged.</summary>
    static abstract CrossPass Pass { get; }

    /// <summary>Gets whether the derivatives of the unnormalised weights are not the weights.</summary>
    static abstract bool HasSlopes { get; }

    /// <summary>Gets the products of matrices in units of one that is as deep as the channels of key or value.</summary>
    static abstract double Products { get; }

    /// <summary>Computes a tile.</summary>
    static abstract void Run(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile tile,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        in CrossSums<TStorage, TReal> sums);
}
