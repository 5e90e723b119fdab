using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace SapaGpu.Devices;

/// <summary>What the CUDA driver offers and ILGPU does not call.</summary>
internal static partial class CudaDriver
{
    // Under this name NativeLibraries finds the driver on every platform.
    private const string Library = "cuda";

    /// <summary>The context that is current on the calling thread; 0 where there is none.</summary>
    public static nint CurrentContext()
    {
        CudaException.ThrowIfFailed(GetCurrent(out nint context));
        return context;
    }

    /// <summary>The primary context of a GPU, which is created unless somebody uses it already.</summary>
    public static nint RetainPrimaryContext(int device)
    {
        CudaException.ThrowIfFailed(Retain(out nint context, device));
        return context;
    }

    /// <summary>Gives the primary context back; it ends when the last one who retained it has done so.</summary>
    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    public static partial CudaError ReleasePrimaryContext(int device);

    [LibraryImport(Library, EntryPoint = "cuCtxGetCurrent")]
    private static partial CudaError GetCurrent(out nint context);

    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRetain")]
    private static partial CudaError Retain(out nint context, int device);
}
