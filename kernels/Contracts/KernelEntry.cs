namespace SapaGpu.Kernels.Contracts;

/// <summary>The method that ILGPU is given as entry point.</summary>
internal static class KernelEntry
{
    /// <summary>Runs a thread-group program.</summary>
    public static void Run<TKernel, TParameters>(TParameters parameters)
        where TKernel : struct, IKernel<TParameters>
        where TParameters : struct => TKernel.Execute(in parameters);
}
