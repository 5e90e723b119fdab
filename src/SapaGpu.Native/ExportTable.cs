using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SapaGpu.Native;

using Tensor = NativeTensor;
using Window = NativeWindowOptions;

/// <summary>Gives the C library its functions. It asks for them by name, so that neither depends on an order.</summary>
internal static unsafe class ExportTable
{
    private const int AbiVersion = 1;

    private static readonly nint VersionText = Marshal.StringToCoTaskMemUTF8(
        typeof(ExportTable).Assembly.GetName().Version!.ToString(3));

    /// <summary>Fills a table with the functions of the given names.</summary>
    /// <returns>Null, or what of the library does not fit these assemblies.</returns>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static byte* Fill(
        int abiVersion, byte** names, nint* functions, int count, delegate* unmanaged[Cdecl]<byte*, void> setError)
    {
        if (abiVersion != AbiVersion)
            return (byte*)Marshal.StringToCoTaskMemUTF8($"ABI {abiVersion}, not {AbiVersion}");
        Failure.Initialise(setError);
        for (int i = 0; i < count; i++)
        {
            functions[i] = Find(Marshal.PtrToStringUTF8((nint)names[i]));
            if (functions[i] == 0)
                return names[i];
        }
        return null;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static nint Version() => VersionText;

    private static nint Find(string? name) => name switch
    {
        "version" => (nint)(delegate* unmanaged[Cdecl]<nint>)&Version,
        "device_open" => (nint)(delegate* unmanaged[Cdecl]<byte*, NativeDeviceOptions*, nint*, int>)&DeviceExports.Open,
        "device_on_stream" => (nint)(delegate* unmanaged[Cdecl]<nint, nint, nint*, int>)&DeviceExports.OnStream,
        "device_close" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&DeviceExports.Close,
        "device_synchronize" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&DeviceExports.Synchronize,
        "device_info" => (nint)(delegate* unmanaged[Cdecl]<nint, byte*, nuint, nuint*, int>)&DeviceExports.Info,
        "window_attention_forward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Window*, int>)&WindowExports.AttentionForward,
        "window_attention_backward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Window*, int>)
            &WindowExports.AttentionBackward,
        "window_similarity_forward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Window*, int>)&WindowExports.SimilarityForward,
        "window_similarity_backward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Window*, int>)&WindowExports.SimilarityBackward,
        "window_weights_forward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, int, int, Tensor*, Window*, int, int>)&WindowExports.WeightsForward,
        "window_weights_backward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, int, int, Tensor*, Tensor*, Window*, int, int>)&WindowExports.WeightsBackward,
        "window_reassembly_forward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Window*, int>)&WindowExports.ReassemblyForward,
        "window_reassembly_backward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Window*, int>)&WindowExports.ReassemblyBackward,
        "deformable_attention_forward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, NativeDeformableOptions*, int>)
            &SamplingExports.DeformableForward,
        "deformable_attention_backward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, NativeDeformableOptions*, int>)
            &SamplingExports.DeformableBackward,
        "ranges_create_window" => (nint)(delegate* unmanaged[Cdecl]<
            int, int, int, int, int, int, int, nint*, int>)&RangesExports.CreateWindow,
        "ranges_create_whole" => (nint)(delegate* unmanaged[Cdecl]<int, int, int, int, nint*, int>)&RangesExports.CreateWhole,
        "ranges_create_ratio" => (nint)(delegate* unmanaged[Cdecl]<
            int, int, int, int, float, nint*, int>)&RangesExports.CreateRatio,
        "ranges_create_table" => (nint)(delegate* unmanaged[Cdecl]<
            int, int, int, int, int*, int*, nint*, int>)&RangesExports.CreateTable,
        "ranges_close" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&RangesExports.Close,
        "cross_attention_forward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Tensor*, nint, Tensor*, Tensor*, NativeCrossOptions*, int>)&CrossExports.Forward,
        "cross_attention_backward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Tensor*, nint, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, NativeCrossOptions*, int>)
            &CrossExports.Backward,
        "cross_attention_double_backward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Tensor*, nint, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*,
            Tensor*, Tensor*, Tensor*, NativeCrossOptions*, int>)&CrossExports.DoubleBackward,
        "interpolate_forward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, int, int, int>)&SamplingExports.InterpolateForward,
        "interpolate_backward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, int, int, int>)&SamplingExports.InterpolateBackward,
        "projection_forward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Tensor*, int>)&LayerExports.ProjectionForward,
        "projection_backward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, int>)&LayerExports.ProjectionBackward,
        "feature_norm_forward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, int, Tensor*, Tensor*, double, Tensor*, Tensor*, int>)&LayerExports.NormForward,
        "feature_norm_backward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, int, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, int>)&LayerExports.NormBackward,
        "upsampler_load" => (nint)(delegate* unmanaged[Cdecl]<
            nint, NativeUpsamplerOptions*, byte*, byte*, nint*, int>)&ModuleExports.LoadUpsampler,
        "deformable_upsampler_load" => (nint)(delegate* unmanaged[Cdecl]<
            nint, NativeDeformableUpsamplerOptions*, byte*, byte*, nint*, int>)&ModuleExports.LoadDeformableUpsampler,
        "carafe_load" => (nint)(delegate* unmanaged[Cdecl]<
            nint, NativeCarafeOptions*, byte*, byte*, nint*, int>)&ModuleExports.LoadCarafe,
        "naf_load" => (nint)(delegate* unmanaged[Cdecl]<
            nint, NativeNafOptions*, byte*, byte*, nint*, int>)&ModuleExports.LoadNaf,
        "anyup_load" => (nint)(delegate* unmanaged[Cdecl]<
            nint, NativeAnyUpOptions*, byte*, byte*, nint*, int>)&ModuleExports.LoadAnyUp,
        "module_forward" => (nint)(delegate* unmanaged[Cdecl]<nint, Tensor*, Tensor*, Tensor*, int>)&ModuleExports.Forward,
        "module_backward" => (nint)(delegate* unmanaged[Cdecl]<
            nint, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, int>)&ModuleExports.Backward,
        "module_forward_on" => (nint)(delegate* unmanaged[Cdecl]<
            nint, nint, Tensor*, Tensor*, Tensor*, int>)&ModuleExports.ForwardOn,
        "module_backward_on" => (nint)(delegate* unmanaged[Cdecl]<
            nint, nint, Tensor*, Tensor*, Tensor*, Tensor*, Tensor*, int>)&ModuleExports.BackwardOn,
        "module_close" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&ModuleExports.Close,
        "guided_upsample" => (nint)(delegate* unmanaged[Cdecl]<
            nint, NativeImage*, NativeImage*, NativeImage*, NativeGuidedOptions*, int>)&GuidedExports.Upsample,
        "register_operators" => (nint)(delegate* unmanaged[Cdecl]<nint, nint*, int>)&OnnxExports.Register,
        _ => 0,
    };
}
