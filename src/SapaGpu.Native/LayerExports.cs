using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>What modules are made of, as the C header declares it.</summary>
internal static unsafe class LayerExports
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int ProjectionForward(
        nint device,
        NativeTensor* input,
        NativeTensor* weight,
        NativeTensor* bias,
        NativeTensor* output)
    {
        try
        {
            Operators.For(input, "input").ProjectionForward(
                Handles.Get<ComputeDevice>(device, "device"), input, weight, bias, output);
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int ProjectionBackward(
        nint device,
        NativeTensor* input,
        NativeTensor* weight,
        NativeTensor* bias,
        NativeTensor* gradOutput,
        NativeTensor* gradInput,
        NativeTensor* gradWeight,
        NativeTensor* gradBias)
    {
        try
        {
            Operators.For(input, "input").ProjectionBackward(
                Handles.Get<ComputeDevice>(device, "device"),
                input,
                weight,
                bias,
                gradOutput,
                gradInput,
                gradWeight,
                gradBias);
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int NormForward(
        nint device,
        NativeTensor* input,
        int groups,
        NativeTensor* weight,
        NativeTensor* bias,
        double epsilon,
        NativeTensor* output,
        NativeTensor* statistics)
    {
        try
        {
            Operators.For(input, "input").NormForward(
                Handles.Get<ComputeDevice>(device, "device"),
                input,
                groups,
                weight,
                bias,
                epsilon,
                output,
                statistics);
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int NormBackward(
        nint device,
        NativeTensor* input,
        int groups,
        NativeTensor* weight,
        NativeTensor* statistics,
        NativeTensor* gradOutput,
        NativeTensor* gradInput,
        NativeTensor* gradWeight,
        NativeTensor* gradBias)
    {
        try
        {
            Operators.For(input, "input").NormBackward(
                Handles.Get<ComputeDevice>(device, "device"),
                input,
                groups,
                weight,
                statistics,
                gradOutput,
                gradInput,
                gradWeight,
                gradBias);
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }
}
