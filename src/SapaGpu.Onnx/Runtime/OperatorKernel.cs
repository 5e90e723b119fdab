using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Runtime;

/// <summary>A node of a session, and the operator that computes it in the memory of the session.</summary>
internal abstract class OperatorKernel(OrtApi api, ExecutionProvider provider)
{
    public OrtApi Api => api;

    /// <summary>Gets what runs the node.</summary>
    public ExecutionProvider Provider => provider;

    /// <summary>Makes the kernel of a node.</summary>
    public static OperatorKernel Create(
        string operation, TensorType type, ExecutionProvider provider, OrtApi api, nint info)
    {
        var attributes = new NodeAttributes(operation, api, info);
        return (operation, type) switch
        {
            (WindowOperators.Attention, TensorType.Float32) => new AttentionKernel<float>(api, provider, attributes.ReadWindow()),
            (WindowOperators.Attention, TensorType.Float16) => new AttentionKernel<Half>(api, provider, attributes.ReadWindow()),
            (WindowOperators.Reassembly, TensorType.Float32) => new ReassemblyKernel<float>(api, provider, attributes.ReadWindow()),
            (WindowOperators.Reassembly, TensorType.Float16) => new ReassemblyKernel<Half>(api, provider, attributes.ReadWindow()),
            (DeformableOperators.Attention, TensorType.Float32) => new DeformableKernel<float>(api, provider, attributes.ReadDeformable()),
            (DeformableOperators.Attention, TensorType.Float16) => new DeformableKernel<Half>(api, provider, attributes.ReadDeformable()),
            (CrossOperators.Attention, TensorType.Float32) => new CrossKernel<float>(api, provider, attributes.ReadCross()),
            (CrossOperators.Attention, TensorType.Float16) => new CrossKernel<Half>(api, provider, attributes.ReadCross()),
            _ => throw new NotSupportedException($"There is no {operation} of {type}."),
        };
    }

    public abstract void Run(OperatorCall call);
}
