using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using static ILGPU.Runtime.Cuda.CudaAPI;

namespace SapaGpu.Devices;

/// <summary>
/// Accelerators in the primary context of a GPU, where CUDA's runtime, and with it other frameworks, keep their memory.
/// ILGPU only knows contexts of its own. An accelerator holds nothing of its context until the first allocation, so the
/// context is replaced before; to keep both would take some hundred MiB of the GPU for the one that nobody uses.
/// </summary>
internal static class PrimaryContext
{
    /// <summary>Opens a GPU.</summary>
    /// <param name="context">ILGPU's context.</param>
    /// <param name="device">The GPU.</param>
    /// <param name="stream">The stream that everything is queued on, 0 for the legacy default stream.</param>
    public static CudaAccelerator Open(Context context, CudaDevice device, nint stream)
    {
        var accelerator = device.CreateCudaAccelerator(context);
        try
        {
            Adopt(accelerator);
            if (stream != 0)
                AcceleratorMembers.SetStream(accelerator, accelerator.CreateStream(stream, responsible: false));
            return accelerator;
        }
        catch
        {
            AcceleratorMembers.DisposeQuietly(accelerator);
            throw;
        }
    }

    private static void Adopt(CudaAccelerator accelerator)
    {
        nint own = accelerator.NativePtr;
        nint primary = CudaDriver.RetainPrimaryContext(accelerator.DeviceId);
        AcceleratorMembers.SetContext(accelerator, primary);

        // ILGPU disposes the objects of an accelerator in the order of their creation, then destroys the context. The
        // last object is created when that begins, and held here since ILGPU does not hold it.
        AcceleratorObject? last = null;
        accelerator.Disposed += (_, _) => last = new LastObject(accelerator);
        CudaException.ThrowIfFailed(CurrentAPI.DestroyContext(own));
        CudaException.ThrowIfFailed(CurrentAPI.SetCurrentContext(primary));
    }

    /// <summary>Takes the primary context away from an accelerator before ILGPU destroys it for everybody.</summary>
    private sealed class LastObject(CudaAccelerator accelerator) : AcceleratorObject(accelerator)
    {
        protected override void DisposeAcceleratorObject(bool disposing)
        {
            // What ILGPU destroys next is no context, which the driver refuses, and none is current.
            AcceleratorMembers.SetContext(Accelerator, 0);
            _ = CurrentAPI.SetCurrentContext(0);
            _ = CudaDriver.ReleasePrimaryContext(((CudaAccelerator)Accelerator).DeviceId);
        }
    }
}
