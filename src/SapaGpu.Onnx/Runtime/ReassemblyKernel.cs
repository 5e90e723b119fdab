namespace SapaGpu.Onnx.Runtime;

/// <summary>A node of <see cref="WindowReassembly"/>.</summary>
internal sealed class ReassemblyKernel<T>(OrtApi api, WindowAttentionOptions options) : OperatorKernel(api)
    where T : unmanaged
{
    public override void Run(nint context)
    {
        using var weights = Input<T>(context, 0, "weights");
        using var value = Input<T>(context, 1, "value");
        int channels = options.HeadValue == HeadValue.Shared ? value.Shape.Channels * options.Heads : value.Shape.Channels;
        var shape = new MapShape(weights.Shape.Batch, channels, weights.Shape.Height, weights.Shape.Width);
        using var output = Output<T>(context, shape);
        WindowReassembly.Forward(weights, value, output, options);
    }
}
