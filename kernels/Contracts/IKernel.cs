namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// A thread-group program. It describes its own launch, so that one launcher serves every kernel, and takes one
/// parameter block, which is the whole contract between host and device.
/// </summary>
/// <typeparam name="TParameters">The parameter block: views and extents.</typeparam>
internal interface IKernel<TParameters>
    where TParameters : struct
{
    /// <summary>Gets the threads of a group.</summary>
    static abstract int GroupSize { get; }

    /// <summary>The number of groups that the problem takes; evaluated on the host.</summary>
    static abstract long GroupCount(in TParameters parameters);

    /// <summary>The body, run by every thread of every group.</summary>
    static abstract void Execute(in TParameters parameters);
}
