using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Runtime;

/// <summary>
/// OrtCustomOp of version 17, whose functions ONNX Runtime calls, followed by what tells our operators apart. No exception leaves
/// a function.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OrtCustomOperator
{
    private uint version;
    private nint createKernel;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, nint> getName;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, nint> getProvider;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, nuint, int> getInputType;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, nuint> getInputCount;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, nuint, int> getOutputType;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, nuint> getOutputCount;
    private nint compute;
    private delegate* unmanaged[Cdecl]<nint, void> destroyKernel;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, nuint, int> getInputCharacteristic;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, nuint, int> getOutputCharacteristic;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, nuint, int> getInputMemory;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, int> getVariadicInputLeast;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, int> getVariadicInputHomogeneity;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, int> getVariadicOutputLeast;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, int> getVariadicOutputHomogeneity;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, nint*, nint, nint*, nint> createKernelWithStatus;
    private delegate* unmanaged[Cdecl]<nint, nint, nint> computeWithStatus;
    private nint inferShape;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, int> getStartVersion;
    private delegate* unmanaged[Cdecl]<OrtCustomOperator*, int> getEndVersion;
    private nint getMayInplace;
    private nint releaseMayInplace;
    private nint getAliasMap;
    private nint releaseAliasMap;

    private nint name;
    private nint provider;
    private nuint inputCount;
    private TensorType type;

    /// <summary>Makes an operator, which lives as long as the process.</summary>
    public static OrtCustomOperator* Create(string name, int inputCount, TensorType type, ExecutionProvider provider)
    {
        var created = (OrtCustomOperator*)NativeMemory.AllocZeroed((nuint)sizeof(OrtCustomOperator));
        created->version = OrtApi.Version;
        created->getName = &GetName;
        created->getProvider = &GetProvider;
        created->getInputType = created->getOutputType = &GetElementType;
        created->getInputCount = &GetInputCount;
        created->getOutputCount = &GetOutputCount;
        created->destroyKernel = &DestroyKernel;
        created->getInputCharacteristic = created->getOutputCharacteristic = &Zero;
        created->getInputMemory = &Zero;
        created->getVariadicInputLeast = created->getVariadicInputHomogeneity = &One;
        created->getVariadicOutputLeast = created->getVariadicOutputHomogeneity = &One;
        created->createKernelWithStatus = &CreateKernel;
        created->computeWithStatus = &Compute;
        created->getStartVersion = &One;
        created->getEndVersion = &GetEndVersion;
        created->name = Marshal.StringToCoTaskMemUTF8(name);
        created->provider = Marshal.StringToCoTaskMemUTF8(provider.Name);
        created->inputCount = (nuint)inputCount;
        created->type = type;
        return created;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint GetName(OrtCustomOperator* self) => self->name;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint GetProvider(OrtCustomOperator* self) => self->provider;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetElementType(OrtCustomOperator* self, nuint index) => (int)self->type;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint GetInputCount(OrtCustomOperator* self) => self->inputCount;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint GetOutputCount(OrtCustomOperator* self) => 1;

    // Required operands, and the provider's own memory.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Zero(OrtCustomOperator* self, nuint index) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int One(OrtCustomOperator* self) => 1;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetEndVersion(OrtCustomOperator* self) => int.MaxValue;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint CreateKernel(OrtCustomOperator* self, nint* table, nint info, nint* kernel)
    {
        var api = new OrtApi(table);
        try
        {
            string name = Marshal.PtrToStringUTF8(self->name)!;
            var provider = self->provider == 0 ? ExecutionProvider.Cpu : ExecutionProvider.Cuda;
            *kernel = GCHandle.ToIntPtr(GCHandle.Alloc(OperatorKernel.Create(name, self->type, provider, api, info)));
            return 0;
        }
        catch (Exception e)
        {
            return Status(api, e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Compute(nint kernel, nint context)
    {
        var own = (OperatorKernel)GCHandle.FromIntPtr(kernel).Target!;
        try
        {
            own.Run(new OperatorCall(own.Api, context, own.Provider.DeviceOf(own.Api, context)));
            return 0;
        }
        catch (Exception e)
        {
            return Status(own.Api, e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void DestroyKernel(nint kernel) => GCHandle.FromIntPtr(kernel).Free();

    private static nint Status(OrtApi api, Exception e) => api.CreateStatus(
        e is ArgumentException or NotSupportedException ? OrtErrorCode.InvalidArgument : OrtErrorCode.Fail, e.Message);
}
