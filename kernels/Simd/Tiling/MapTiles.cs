using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>Runs an <see cref="IMapProgram{TParameters}"/> on the CPU, a run of values at a time.</summary>
internal readonly struct MapTiles<TProgram, TParameters> : ITileProgram<TParameters>
    where TProgram : struct, IMapProgram<TParameters>
    where TParameters : struct
{
    private const double OperationsPerTile = 32768;
    private const int LargestTile = 4096;

    public static long TileCount(in TParameters parameters)
    {
        int length = Length(in parameters);
        return (TProgram.Extent(in parameters).Count + length - 1) / length;
    }

    public static long ScratchBytes(in TParameters parameters) => 0;

    public static double Operations(in TParameters parameters) =>
        TProgram.Extent(in parameters).Count * TProgram.OperationsPerValue(in parameters);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Execute(in TParameters parameters, long tile, byte* scratch)
    {
        var extent = TProgram.Extent(in parameters);
        int length = Length(in parameters);
        long first = tile * length;
        long end = Math.Min(first + length, extent.Count);
        var at = extent.Locate(first);
        for (long index = first; index < end; index++)
        {
            TProgram.Apply(in parameters, in at);
            extent.Advance(ref at);
        }
    }

    private static int Length(in TParameters parameters) =>
        (int)Math.Clamp(OperationsPerTile / TProgram.OperationsPerValue(in parameters), 1, LargestTile);
}
