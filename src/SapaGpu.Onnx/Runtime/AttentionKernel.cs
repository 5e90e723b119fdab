namespace SapaGpu.Onnx.Runtime;

/// <summary>A node of <see cref="WindowAttention"/>.</summary>
internal sealed class AttentionKernel<T>(OrtApi api, ExecutionProvider provider, WindowAttentionOptions options)
    : OperatorKernel(api, provider)
    where T : unmanaged
{
    public override void Run(OperatorCall call)
    {
        using var query = call.Input<T>(0, "query");
        using var key = call.Input<T>(1, "key");
        using var value = call.Input<T>(2, "value");
        using var output = call.Output<T>(WindowAttention.Shapes(query, key, value, options).Output);
        WindowAttention.Forward(query, key, value, output, options);
    }
}
