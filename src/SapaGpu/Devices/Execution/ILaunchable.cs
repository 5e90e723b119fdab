using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Devices;

/// <summary>A kernel with all its type parameters chosen.</summary>
internal interface ILaunchable<TParameters>
    where TParameters : struct
{
    /// <summary>Queues the kernel.</summary>
    void Launch(Launcher launcher, in TParameters parameters);
}

/// <summary>A thread-group program.</summary>
internal sealed class GroupLaunchable<TKernel, TParameters> : ILaunchable<TParameters>
    where TKernel : struct, IKernel<TParameters>
    where TParameters : struct
{
    public void Launch(Launcher launcher, in TParameters parameters) =>
        launcher.Group<TKernel, TParameters>(in parameters);
}

/// <summary>A vector program.</summary>
internal sealed class TileLaunchable<TProgram, TParameters> : ILaunchable<TParameters>
    where TProgram : struct, ITileProgram<TParameters>
    where TParameters : struct
{
    public void Launch(Launcher launcher, in TParameters parameters) =>
        launcher.Tiles<TProgram, TParameters>(in parameters);
}
