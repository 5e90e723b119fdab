using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Multiply-adds in vector registers, twelve independent chains a core: the arithmetic limit of the CPU in single
/// precision.
/// </summary>
/// <typeparam name="TSimd">The vector arithmetic.</typeparam>
/// <typeparam name="TVector">A vector of floats.</typeparam>
internal readonly unsafe struct MultiplyAddProgram<TSimd, TVector> : ITileProgram<ProbeParameters>
    where TSimd : struct, ISimd<float, float, TVector>
    where TVector : struct
{
    public static long TileCount(in ProbeParameters parameters) => parameters.Workers;

    public static long ScratchBytes(in ProbeParameters parameters) => 0;

    public static double Operations(in ProbeParameters parameters) =>
        MultiplyAddProgram.Operations(in parameters, TSimd.Lanes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in ProbeParameters parameters, long tile, byte* scratch)
    {
        var factor = TSimd.Constant(0.999 - 1e-6 * tile);
        var term = TSimd.Constant(1e-3);
        TVector a = term, b = factor, c = term, d = factor, e = term, f = factor;
        TVector g = term, h = factor, i = term, j = factor, k = term, l = factor;
        for (int round = 0; round < parameters.Rounds; round++)
        {
            a = TSimd.MultiplyAdd(a, factor, term);
            b = TSimd.MultiplyAdd(b, factor, term);
            c = TSimd.MultiplyAdd(c, factor, term);
            d = TSimd.MultiplyAdd(d, factor, term);
            e = TSimd.MultiplyAdd(e, factor, term);
            f = TSimd.MultiplyAdd(f, factor, term);
            g = TSimd.MultiplyAdd(g, factor, term);
            h = TSimd.MultiplyAdd(h, factor, term);
            i = TSimd.MultiplyAdd(i, factor, term);
            j = TSimd.MultiplyAdd(j, factor, term);
            k = TSimd.MultiplyAdd(k, factor, term);
            l = TSimd.MultiplyAdd(l, factor, term);
        }
        a = TSimd.Add(TSimd.Add(TSimd.Add(a, b), TSimd.Add(c, d)), TSimd.Add(e, f));
        g = TSimd.Add(TSimd.Add(TSimd.Add(g, h), TSimd.Add(i, j)), TSimd.Add(k, l));
        parameters.Result[tile] = TSimd.Sum(TSimd.Add(a, g));
    }
}

/// <summary>The count of <see cref="MultiplyAddProgram{TSimd, TVector}"/>.</summary>
internal static class MultiplyAddProgram
{
    private const int Chains = 12;

    /// <summary>The operations of a launch with vectors of a number of lanes.</summary>
    public static double Operations(in ProbeParameters parameters, int lanes) =>
        2.0 * Chains * lanes * parameters.Rounds * parameters.Workers;
}
