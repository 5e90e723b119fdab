using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using static ILGPU.Runtime.Cuda.CudaAPI;

namespace SapaGpu.Devices;

/// <summary>
/// Brings back, at its end, the CUDA context that was current on the thread before: other frameworks in the process go
/// on with the one they find.
/// </summary>
internal readonly ref struct CudaScope
{
    private readonly bool isHeld;
    private readonly nint previous;

    private CudaScope(nint previous)
    {
        isHeld = true;
        this.previous = previous;
    }

    /// <summary>Remembers the current context.</summary>
    public static CudaScope Keep() => new(CudaDriver.CurrentContext());

    /// <summary>Makes the context of an accelerator current; without effect on one that is not CUDA's.</summary>
    public static CudaScope Enter(Accelerator accelerator)
    {
        if (accelerator is not CudaAccelerator cuda)
            return default;
        var scope = Keep();

        // ILGPU remembers that it bound the accelerator on this thread, not that someone has bound another since.
        cuda.Bind();
        CudaException.ThrowIfFailed(CurrentAPI.SetCurrentContext(cuda.NativePtr));
        return scope;
    }

    /// <summary>Brings the context back.</summary>
    public void Dispose()
    {
        // It may have ended meanwhile, and then nobody misses it.
        if (isHeld)
            _ = CurrentAPI.SetCurrentContext(previous);
    }
}
