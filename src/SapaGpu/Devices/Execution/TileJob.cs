using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Devices;

/// <summary>A vector program at work: threads take tiles from a counter until none is left.</summary>
internal sealed unsafe class TileJob<TProgram, TParameters> : TeamJob
    where TProgram : struct, ITileProgram<TParameters>
    where TParameters : struct
{
    private TParameters parameters;
    private byte* scratch;
    private long scratchStride;
    private long tiles;
    private long taken;

    /// <summary>Sets the work.</summary>
    /// <param name="work">The parameter block.</param>
    /// <param name="tileCount">Its tiles.</param>
    /// <param name="memory">The scratch memory of all threads.</param>
    /// <param name="stride">The bytes of scratch memory of one thread.</param>
    public void Set(in TParameters work, long tileCount, byte* memory, long stride)
    {
        parameters = work;
        tiles = tileCount;
        scratch = memory;
        scratchStride = stride;
        taken = 0;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Work(int worker)
    {
        long tile = Interlocked.Increment(ref taken) - 1;
        if (tile >= tiles)
            return;
        byte* own = scratch + worker * scratchStride;
        TProgram.Begin(in parameters, own);
        while (tile < tiles)
        {
            TProgram.Execute(in parameters, tile, own);
            tile = Interlocked.Increment(ref taken) - 1;
        }
    }

    /// <summary>Does all tiles on the calling thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(in TParameters work, long tileCount, byte* memory)
    {
        TProgram.Begin(in work, memory);
        for (long tile = 0; tile < tileCount; tile++)
            TProgram.Execute(in work, tile, memory);
    }
}
