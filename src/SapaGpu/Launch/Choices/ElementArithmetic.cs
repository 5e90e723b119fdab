using System.Numerics;
using System.Runtime.Intrinsics;
using SapaGpu.Devices;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;

namespace SapaGpu.Launch;

/// <summary>The vector arithmetic of an element type, in every width.</summary>
internal abstract class ElementArithmetic<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged
{
    /// <summary>Makes the vector program of a variant.</summary>
    public abstract ILaunchable<TParameters> Close<TParameters>(
        OpenTiles<TStorage, TReal, TParameters> tiles, KernelVariant variant)
        where TParameters : struct;

    /// <summary>The table of a contract that has both kinds of programs.</summary>
    /// <param name="tiles">The vector program.</param>
    /// <param name="kernel">The thread-group program.</param>
    /// <param name="reduce">Joins the variants that are one to the programs; null where all differ.</param>
    public VariantTable<TParameters> Table<TParameters>(
        OpenTiles<TStorage, TReal, TParameters> tiles,
        OpenKernel<TParameters> kernel,
        Func<KernelVariant, KernelVariant>? reduce = null)
        where TParameters : struct => new(variant =>
        {
            var own = reduce?.Invoke(variant) ?? variant;
            return own.VectorBits > 0 ? Close(tiles, own) : kernel.Close(own);
        });

    /// <summary>The table of a contract that only the CPU has.</summary>
    public VariantTable<TParameters> Table<TParameters>(OpenTiles<TStorage, TReal, TParameters> tiles)
        where TParameters : struct => new(variant => Close(tiles, variant));
}

/// <summary>The arithmetic of float or double, stored as they are computed.</summary>
internal sealed class PlainArithmetic<T> : ElementArithmetic<T, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public override ILaunchable<TParameters> Close<TParameters>(
        OpenTiles<T, T, TParameters> tiles, KernelVariant variant) => variant.VectorBits switch
        {
            512 => tiles.Close<Simd512<T>, Simd512<T>, Vector512<T>>(variant),
            256 => tiles.Close<Simd256<T>, Simd256<T>, Vector256<T>>(variant),

            // 0: kernels that only the CPU has are also created for thread groups when all variants are listed.
            128 or 0 => tiles.Close<Simd128<T>, Simd128<T>, Vector128<T>>(variant),
            _ => throw KernelVariant.Unknown(variant.VectorBits),
        };
}

/// <summary>The arithmetic of a 16-bit format, computed in single precision.</summary>
internal sealed class NarrowArithmetic<TElement> : ElementArithmetic<ushort, float>
    where TElement : struct, IElement<ushort, float>
{
    public override ILaunchable<TParameters> Close<TParameters>(
        OpenTiles<ushort, float, TParameters> tiles, KernelVariant variant) => variant.VectorBits switch
        {
            512 => tiles.Close<
                NarrowSimd<TElement, Simd512<float>, Vector512<float>>, Simd512<float>, Vector512<float>>(variant),
            256 => tiles.Close<
                NarrowSimd<TElement, Simd256<float>, Vector256<float>>, Simd256<float>, Vector256<float>>(variant),
            128 or 0 => tiles.Close<
                NarrowSimd<TElement, Simd128<float>, Vector128<float>>, Simd128<float>, Vector128<float>>(variant),
            _ => throw KernelVariant.Unknown(variant.VectorBits),
        };
}
