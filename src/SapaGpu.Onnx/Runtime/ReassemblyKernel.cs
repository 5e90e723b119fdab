namespace SapaGpu.Onnx.Runtime;

/// <summary>A node of <see cref="WindowReassembly"/>.</summary>
internal sealed class ReassemblyKernel<T>(OrtApi api, ExecutionProvider provider, WindowAttentionOptions options)
    : OperatorKernel(api, provider)
    where T : unmanaged
{
    public override void Run(OperatorCall call)
    {
        using var weights = call.Input<T>(0, "weights");
        using var value = call.Input<T>(1, "value");
        int channels = options.HeadValue == HeadValue.Shared ? value.Shape.Channels * options.Heads : value.Shape.Channels;
        var shape = new MapShape(weights.Shape.Batch, channels, weights.Shape.Height, weights.Shape.Width);
        using var output = call.Output<T>(shape);
        WindowReassembly.Forward(weights, value, output, options);
    }
}
