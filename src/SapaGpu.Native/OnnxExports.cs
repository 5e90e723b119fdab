using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SapaGpu.Onnx.Runtime;

namespace SapaGpu.Native;

/// <summary>The operators of ONNX files in the ONNX Runtime that loaded the C library.</summary>
internal static unsafe class OnnxExports
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Register(nint sessionOptions, nint* apiBase)
    {
        try
        {
            NativeStruct.CheckNotNull((void*)sessionOptions, "options");
            OrtDomains.AddTo(sessionOptions, apiBase);
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }
}
