using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>Window attention and its steps, as the C header declares them.</summary>
internal static unsafe class WindowExports
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int AttentionForward(
        nint device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* output,
        NativeTensor* normaliser,
        NativeWindowOptions* options)
    {
        try
        {
            Operators.For(query, "query").AttentionForward(
                Handles.Get<ComputeDevice>(device, "device"),
                query,
                key,
                value,
                output,
                normaliser,
                NativeWindowOptions.Read(options));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int AttentionBackward(
        nint device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* normaliser,
        NativeTensor* gradOutput,
        NativeTensor* gradQuery,
        NativeTensor* gradKey,
        NativeTensor* gradValue,
        NativeWindowOptions* options)
    {
        try
        {
            Operators.For(query, "query").AttentionBackward(
                Handles.Get<ComputeDevice>(device, "device"),
                query,
                key,
                value,
                normaliser,
                gradOutput,
                gradQuery,
                gradKey,
                gradValue,
                NativeWindowOptions.Read(options));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int SimilarityForward(
        nint device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* scores,
        NativeWindowOptions* options)
    {
        try
        {
            Operators.For(query, "query").SimilarityForward(
                Handles.Get<ComputeDevice>(device, "device"), query, key, scores, NativeWindowOptions.Read(options));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int SimilarityBackward(
        nint device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* gradScores,
        NativeTensor* gradQuery,
        NativeTensor* gradKey,
        NativeWindowOptions* options)
    {
        try
        {
            Operators.For(query, "query").SimilarityBackward(
                Handles.Get<ComputeDevice>(device, "device"),
                query,
                key,
                gradScores,
                gradQuery,
                gradKey,
                NativeWindowOptions.Read(options));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int WeightsForward(
        nint device,
        NativeTensor* scores,
        int keyHeight,
        int keyWidth,
        NativeTensor* weights,
        NativeWindowOptions* options,
        int average)
    {
        try
        {
            Operators.For(scores, "scores").WeightsForward(
                Handles.Get<ComputeDevice>(device, "device"),
                scores,
                keyHeight,
                keyWidth,
                weights,
                NativeWindowOptions.Read(options),
                NativeStruct.Flag(average, "average"));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int WeightsBackward(
        nint device,
        NativeTensor* scores,
        int keyHeight,
        int keyWidth,
        NativeTensor* gradWeights,
        NativeTensor* gradScores,
        NativeWindowOptions* options,
        int average)
    {
        try
        {
            Operators.For(scores, "scores").WeightsBackward(
                Handles.Get<ComputeDevice>(device, "device"),
                scores,
                keyHeight,
                keyWidth,
                gradWeights,
                gradScores,
                NativeWindowOptions.Read(options),
                NativeStruct.Flag(average, "average"));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int ReassemblyForward(
        nint device,
        NativeTensor* weights,
        NativeTensor* value,
        NativeTensor* output,
        NativeWindowOptions* options)
    {
        try
        {
            Operators.For(weights, "weights").ReassemblyForward(
                Handles.Get<ComputeDevice>(device, "device"),
                weights,
                value,
                output,
                NativeWindowOptions.Read(options));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int ReassemblyBackward(
        nint device,
        NativeTensor* weights,
        NativeTensor* value,
        NativeTensor* gradOutput,
        NativeTensor* gradWeights,
        NativeTensor* gradValue,
        NativeWindowOptions* options)
    {
        try
        {
            Operators.For(weights, "weights").ReassemblyBackward(
                Handles.Get<ComputeDevice>(device, "device"),
                weights,
                value,
                gradOutput,
                gradWeights,
                gradValue,
                NativeWindowOptions.Read(options));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }
}
