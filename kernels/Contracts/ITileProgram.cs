namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// A vector program for the CPU: independent tiles of work, each computed by one thread with its own scratch memory.
/// The result does not depend on which thread computes which tile.
/// </summary>
/// <typeparam name="TParameters">The parameter block: views and extents.</typeparam>
internal interface ITileProgram<TParameters>
    where TParameters : struct
{
    /// <summary>The number of tiles.</summary>
    static abstract long TileCount(in TParameters parameters);

    /// <summary>The bytes of scratch memory, aligned to 64, that one thread needs.</summary>
    static abstract long ScratchBytes(in TParameters parameters);

    /// <summary>
    /// An estimate of the floating-point operations of the whole problem, by which launches are sized.
    /// </summary>
    static abstract double Operations(in TParameters parameters);

    /// <summary>
    /// Fills what all tiles of a thread share in its scratch memory; called once, before its first tile.
    /// </summary>
    static virtual unsafe void Begin(in TParameters parameters, byte* scratch)
    {
    }

    /// <summary>Computes one tile.</summary>
    static abstract unsafe void Execute(in TParameters parameters, long tile, byte* scratch);
}
