namespace SapaGpu.Onnx.Runtime;

/// <summary>A node of <see cref="WindowAttention"/>.</summary>
internal sealed class AttentionKernel<T>(OrtApi api, WindowAttentionOptions options) : OperatorKernel(api)
    where T : unmanaged
{
    public override void Run(nint context)
    {
        using var query = Input<T>(context, 0, "query");
        using var key = Input<T>(context, 1, "key");
        using var value = Input<T>(context, 2, "value");
        using var output = Output<T>(context, WindowAttention.Shapes(query, key, value, options).Output);
        WindowAttention.Forward(query, key, value, output, options);
    }
}
