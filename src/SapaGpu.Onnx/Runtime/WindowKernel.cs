using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Runtime;

/// <summary>A node of a session: its attributes, and the operator that computes it in the memory of the session.</summary>
internal abstract class WindowKernel(OrtApi api, WindowAttentionOptions options)
{
    private static readonly Lazy<ComputeDevice> Processor = new(() => ComputeDevice.Open("cpu"));

    public OrtApi Api => api;

    protected WindowAttentionOptions Options => options;

    /// <summary>Makes the kernel of a node.</summary>
    public static WindowKernel Create(string operation, TensorType type, OrtApi api, nint info)
    {
        var options = WindowAttributes.Read(operation, api, info);
        return (operation, type) switch
        {
            (WindowOperators.Attention, TensorType.Float32) => new AttentionKernel<float>(api, options),
            (WindowOperators.Attention, TensorType.Float16) => new AttentionKernel<Half>(api, options),
            (WindowOperators.Reassembly, TensorType.Float32) => new ReassemblyKernel<float>(api, options),
            (WindowOperators.Reassembly, TensorType.Float16) => new ReassemblyKernel<Half>(api, options),
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
