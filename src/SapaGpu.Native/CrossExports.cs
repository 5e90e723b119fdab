using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>Cross-resolution attention, as the C header declares it.</summary>
internal static unsafe class CrossExports
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Forward(
        nint device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* keyBias,
        nint ranges,
        NativeTensor* output,
        NativeTensor* statistics,
        NativeCrossOptions* options)
    {
        try
        {
            Operators.For(query, "query").CrossForward(
                Handles.Get<ComputeDevice>(device, "device"),
                query,
                key,
                value,
                keyBias,
                Handles.Get<WindowRanges>(ranges, "ranges"),
                output,
                statistics,
                NativeCrossOptions.Read(options));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Backward(
        nint device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* keyBias,
        nint ranges,
        NativeTensor* statistics,
        NativeTensor* gradOutput,
        NativeTensor* gradQuery,
        NativeTensor* gradKey,
        NativeTensor* gradValue,
        NativeTensor* gradKeyBias,
        NativeCrossOptions* options)
    {
        try
        {
            Operators.For(query, "query").CrossBackward(
                Handles.Get<ComputeDevice>(device, "device"),
                query,
                key,
                value,
                keyBias,
                Handles.Get<WindowRanges>(ranges, "ranges"),
                statistics,
                gradOutput,
                gradQuery,
                gradKey,
                gradValue,
                gradKeyBias,
                NativeCrossOptions.Read(options));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int DoubleBackward(
        nint device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* keyBias,
        nint ranges,
        NativeTensor* statistics,
        NativeTensor* gradOutput,
        NativeTensor* queryDirection,
        NativeTensor* keyDirection,
        NativeTensor* valueDirection,
        NativeTensor* keyBiasDirection,
        NativeTensor* gradGradOutput,
        NativeTensor* gradQuery,
        NativeTensor* gradKey,
        NativeTensor* gradValue,
        NativeTensor* gradKeyBias,
        NativeCrossOptions* options)
    {
        try
        {
            Operators.For(query, "query").CrossDoubleBackward(
                Handles.Get<ComputeDevice>(device, "device"),
                query,
                key,
                value,
                keyBias,
                Handles.Get<WindowRanges>(ranges, "ranges"),
                statistics,
                gradOutput,
                queryDirection,
                keyDirection,
                valueDirection,
                keyBiasDirection,
                gradGradOutput,
                gradQuery,
                gradKey,
                gradValue,
                gradKeyBias,
                NativeCrossOptions.Read(options));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }
}
