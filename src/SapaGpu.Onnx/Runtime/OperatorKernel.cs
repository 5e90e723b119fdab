using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Runtime;

/// <summary>A node of a session, and the operator that computes it in the memory of the session.</summary>
internal abstract class OperatorKernel(OrtApi api)
{
    private static readonly Lazy<ComputeDevice> Processor = new(() => ComputeDevice.Open("cpu"));

    public OrtApi Api => api;

    /// <summary>Makes the kernel of a node.</summary>
    public static OperatorKernel Create(string operation, TensorType type, OrtApi api, nint info)
    {
        var attributes = new NodeAttributes(operation, api, info);
        return (operation, type) switch
        {
            (WindowOperators.Attention, TensorType.Float32) => new AttentionKernel<float>(api, attributes.ReadWindow()),
            (WindowOperators.Attention, TensorType.Float16) => new AttentionKernel<Half>(api, attributes.ReadWindow()),
            (WindowOperators.Reassembly, TensorType.Float32) => new ReassemblyKernel<float>(api, attributes.ReadWindow()),
            (WindowOperators.Reassembly, TensorType.Float16) => new ReassemblyKernel<Half>(api, attributes.ReadWindow()),
            (DeformableOperators.Attention, TensorType.Float32) => new DeformableKernel<float>(api, attributes.ReadDeformable()),
            (DeformableOperators.Attention, TensorType.Float16) => new DeformableKernel<Half>(api, attributes.ReadDeformable()),
            (CrossOperators.Attention, TensorType.Float32) => new CrossKernel<float>(api, attributes.ReadCross()),
            (CrossOperators.Attention, TensorType.Float16) => new CrossKernel<Half>(api, attributes.ReadCross()),
            _ => throw new NotSupportedException($"There is no {operation} of {type}."),
        };
    }

    public abstract void Run(nint context);

    protected FeatureMap<T> Input<T>(nint context, int index, string name)
        where T : unmanaged
    {
        var (data, shape) = api.Input(context, index, name);
        return FeatureMap<T>.Wrap(Processor.Value, data, shape);
    }

    protected FeatureMap<T> Output<T>(nint context, MapShape shape)
        where T : unmanaged => FeatureMap<T>.Wrap(Processor.Value, api.Output(context, shape), shape);
}
