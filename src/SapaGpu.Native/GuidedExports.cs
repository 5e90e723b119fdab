using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>Guided upsampling of images, as the C header declares it.</summary>
internal static unsafe class GuidedExports
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Upsample(
        nint device, NativeImage* photo, NativeImage* map, NativeImage* result, NativeGuidedOptions* options)
    {
        try
        {
            var on = device == 0 ? null : Handles.Get<ComputeDevice>(device, "device");
            GuidedImages.Upsample(photo, map, result, NativeGuidedOptions.Read(options, on));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }
}
