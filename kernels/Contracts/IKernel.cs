namespace SapaGpu.Kernels;

/// <summary>
/// A thread-group program. It describes its own launch, so that one launcher serves every kernel, and takes one
/// parameter block, which is the whole contract between host and device.
/// </summary>
/// <typeparam name="TParameters">The parameter block: views and extents.</typeparam>
public interface IKernel<TParameters>
    where TParameters : struct
{
    /// <summary>Gets the threads of a group.</summary>
    static abstract int GroupSize { get; }

    /// <summary>The number of groups that the problem takes; evaluated on the host.</summary>
    static abstract long GroupCount(in TParameters parameters);

    /// <summary>The body, run by every thread of every group.</summary>
    static abstract void Execute(in TParameters parameters);
}

/// <summary>
/// Says that a program relies on its products being rounded: a driver's assembler otherwise joins a multiplication with an
/// addition that takes its product, and the difference of two equal numbers becomes what rounding took from one of them.
/// </summary>
[AttributeUsage(AttributeTargets.Struct)]
public sealed class RoundedProductsAttribute : Attribute;

/// <summary>
/// A vector program for the CPU: independent tiles of work, each computed by one thread with its own scratch memory.
/// The result does not depend on which thread computes which tile.
/// </summary>
/// <typeparam name="TParameters">The parameter block: views and extents.</typeparam>
public interface ITileProgram<TParameters>
    where TParameters : struct
{
    /// <summary>The number of tiles.</summary>
    static abstract long TileCount(in TParameters parameters);

    /// <summary>The bytes of scratch memory, aligned to 64, that one thread needs.</summary>
    static abstract long ScratchBytes(in TParameters parameters);

    /// <summary>An estimate of the floating-point operations of the whole problem, by which launches are sized.</summary>
    static abstract double Operations(in TParameters parameters);

    /// <summary>Fills what all tiles of a thread share in its scratch memory; called once, before its first tile.</summary>
    static virtual unsafe void Begin(in TParameters parameters, byte* scratch)
    {
    }

    /// <summary>Computes one tile.</summary>
    static abstract unsafe void Execute(in TParameters parameters, long tile, byte* scratch);
}
