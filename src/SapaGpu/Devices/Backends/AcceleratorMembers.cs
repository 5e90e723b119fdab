using System.Runtime.CompilerServices;
using ILGPU.Runtime;
using ILGPU.Util;

namespace SapaGpu.Devices;

/// <summary>Members of ILGPU 1.5.3 that are not public.</summary>
internal static class AcceleratorMembers
{
    /// <summary>Replaces the driver's context, which ILGPU binds before every use and destroys at the end.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_NativePtr")]
    public static extern void SetContext(Accelerator accelerator, nint context);

    /// <summary>Replaces the stream that everything is queued on.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_DefaultStream")]
    public static extern void SetStream(Accelerator accelerator, AcceleratorStream stream);

    /// <summary>Disposes an accelerator whatever the driver answers, as its finalizer would.</summary>
    public static void DisposeQuietly(Accelerator accelerator)
    {
        try
        {
            Dispose(accelerator, disposing: false);
        }
        catch (AcceleratorException)
        {
            // It binds the context before and unbinds it after, which a driver may refuse as well.
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "DisposeDriver")]
    private static extern void Dispose(DisposeBase accelerator, bool disposing);
}
