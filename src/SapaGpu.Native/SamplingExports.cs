using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>Deformable attention and interpolation, as the C header declares them.</summary>
internal static unsafe class SamplingExports
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int DeformableForward(
        nint device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* offsets,
        NativeTensor* output,
        NativeDeformableOptions* options)
    {
        try
        {
            Operators.For(query, "query").DeformableForward(
                Handles.Get<ComputeDevice>(device, "device"),
                query,
                key,
                value,
                offsets,
                output,
                NativeDeformableOptions.Read(options));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int DeformableBackward(
        nint device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* offsets,
        NativeTensor* gradOutput,
        NativeTensor* gradQuery,
        NativeTensor* gradKey,
        NativeTensor* gradValue,
        NativeTensor* gradOffsets,
        NativeDeformableOptions* options)
    {
        try
        {
            Operators.For(query, "query").DeformableBackward(
                Handles.Get<ComputeDevice>(device, "device"),
                query,
                key,
                value,
                offsets,
                gradOutput,
                gradQuery,
                gradKey,
                gradValue,
                gradOffsets,
                NativeDeformableOptions.Read(options));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int InterpolateForward(
        nint device,
        NativeTensor* input,
        NativeTensor* output,
        int mode,
        int alignCorners)
    {
        try
        {
            Operators.For(input, "input").InterpolateForward(
                Handles.Get<ComputeDevice>(device, "device"),
                input,
                output,
                (InterpolationMode)mode,
                NativeStruct.Flag(alignCorners, "align_corners"));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int InterpolateBackward(
        nint device,
        NativeTensor* gradOutput,
        NativeTensor* gradInput,
        int mode,
        int alignCorners)
    {
        try
        {
            Operators.For(gradOutput, "grad_output").InterpolateBackward(
                Handles.Get<ComputeDevice>(device, "device"),
                gradOutput,
                gradInput,
                (InterpolationMode)mode,
                NativeStruct.Flag(alignCorners, "align_corners"));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }
}
