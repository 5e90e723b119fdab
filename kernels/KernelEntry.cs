using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Frontend;
using ILGPU.Runtime;

namespace SapaGpu.Kernels;

/// <summary>The methods that ILGPU is given as entry points.</summary>
public static class KernelEntry
{
    /// <summary>Runs a thread-group program.</summary>
    public static void Run<TKernel, TParameters>(TParameters parameters)
        where TKernel : struct, IKernel<TParameters>
        where TParameters : struct => TKernel.Execute(in parameters);

    /// <summary>Runs a vector program on ILGPU's CPU accelerator; a group is one worker thread.</summary>
    public static void RunTiles<TProgram, TParameters>(TileLaunch<TParameters> launch)
        where TProgram : struct, ITileProgram<TParameters>
        where TParameters : struct => Work<TProgram, TParameters>(launch, Grid.IdxX);

    /// <summary>
    /// Takes tiles until none is left. The attribute keeps ILGPU from translating the body, which on the CPU runs as
    /// the runtime's JIT compiled it.
    /// </summary>
    [External("sapagpu_tile_worker")]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Work<TProgram, TParameters>(TileLaunch<TParameters> launch, int worker)
        where TProgram : struct, ITileProgram<TParameters>
        where TParameters : struct
    {
        var scratch = (byte*)Unsafe.AsPointer(ref launch.Scratch.LoadEffectiveAddress());
        ref long next = ref *(long*)scratch;
        byte* own = scratch + TileLaunch.CounterBytes + worker * launch.ScratchStride;
        long tile = Interlocked.Increment(ref next) - 1;
        if (tile >= launch.TileCount)
            return;
        TProgram.Begin(in launch.Parameters, own);
        while (tile < launch.TileCount)
        {
            TProgram.Execute(in launch.Parameters, tile, own);
            tile = Interlocked.Increment(ref next) - 1;
        }
    }
}

/// <summary>Constants of <see cref="TileLaunch{TParameters}"/>.</summary>
public static class TileLaunch
{
    /// <summary>The bytes before the workers' scratch memory, a cache line, whose first eight are the tile counter.</summary>
    public const int CounterBytes = 64;
}

/// <summary>The launch of a vector program.</summary>
/// <typeparam name="TParameters">The parameter block of the program.</typeparam>
public struct TileLaunch<TParameters>
    where TParameters : struct
{
    /// <summary>The parameter block.</summary>
    public TParameters Parameters;

    /// <summary>The shared tile counter, 0 at launch, then the scratch memory of every worker.</summary>
    public ArrayView<byte> Scratch;

    /// <summary>The bytes of scratch memory of one worker.</summary>
    public long ScratchStride;

    /// <summary>The number of tiles.</summary>
    public long TileCount;
}
