using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>Modules with trained parameters, as the C header declares them.</summary>
internal static unsafe class ModuleExports
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int LoadUpsampler(
        nint device, NativeUpsamplerOptions* options, byte* path, byte* prefix, nint* module) =>
        Load(device, options, path, prefix, module);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int LoadDeformableUpsampler(
        nint device, NativeDeformableUpsamplerOptions* options, byte* path, byte* prefix, nint* module) =>
        Load(device, options, path, prefix, module);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int LoadCarafe(nint device, NativeCarafeOptions* options, byte* path, byte* prefix, nint* module) =>
        Load(device, options, path, prefix, module);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int LoadNaf(nint device, NativeNafOptions* options, byte* path, byte* prefix, nint* module) =>
        Load(device, options, path, prefix, module);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int LoadAnyUp(nint device, NativeAnyUpOptions* options, byte* path, byte* prefix, nint* module) =>
        Load(device, options, path, prefix, module);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Forward(nint module, NativeTensor* encoder, NativeTensor* decoder, NativeTensor* output) =>
        Run(module, 0, encoder, decoder, output);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int ForwardOn(
        nint module, nint device, NativeTensor* encoder, NativeTensor* decoder, NativeTensor* output) =>
        Run(module, device, encoder, decoder, output);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Backward(
        nint module,
        NativeTensor* encoder,
        NativeTensor* decoder,
        NativeTensor* gradOutput,
        NativeTensor* gradEncoder,
        NativeTensor* gradDecoder) =>
        Differentiate(module, 0, encoder, decoder, gradOutput, gradEncoder, gradDecoder);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int BackwardOn(
        nint module,
        nint device,
        NativeTensor* encoder,
        NativeTensor* decoder,
        NativeTensor* gradOutput,
        NativeTensor* gradEncoder,
        NativeTensor* gradDecoder) =>
        Differentiate(module, device, encoder, decoder, gradOutput, gradEncoder, gradDecoder);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Close(nint module)
    {
        try
        {
            Handles.Remove<LoadedModule>(module, "module").Dispose();
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    private static int Run(
        nint module, nint device, NativeTensor* encoder, NativeTensor* decoder, NativeTensor* output)
    {
        try
        {
            var loaded = Handles.Get<LoadedModule>(module, "module");
            loaded.Forward(DeviceOf(loaded, device), encoder, decoder, output);
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    private static int Differentiate(
        nint module,
        nint device,
        NativeTensor* encoder,
        NativeTensor* decoder,
        NativeTensor* gradOutput,
        NativeTensor* gradEncoder,
        NativeTensor* gradDecoder)
    {
        try
        {
            var loaded = Handles.Get<LoadedModule>(module, "module");
            loaded.Backward(DeviceOf(loaded, device), encoder, decoder, gradOutput, gradEncoder, gradDecoder);
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    private static ComputeDevice DeviceOf(LoadedModule module, nint device) =>
        device == 0 ? module.Device : Handles.Get<ComputeDevice>(device, "device");

    private static int Load<TOptions>(nint device, TOptions* options, byte* path, byte* prefix, nint* module)
        where TOptions : unmanaged, INativeModuleOptions<TOptions>
    {
        try
        {
            NativeStruct.CheckNotNull(module, "module");
            *module = 0;
            var on = Handles.Get<ComputeDevice>(device, "device");
            var (elementType, read) = TOptions.Read(options);
            *module = Handles.Add(LoadedModule.Load(on, elementType, read, path, prefix));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }
}
