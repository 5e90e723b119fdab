using SapaGpu.Operators;

namespace SapaGpu.Onnx.Runtime;

/// <summary>A node of <see cref="DeformableAttention"/>.</summary>
internal sealed class DeformableKernel<T>(OrtApi api, ExecutionProvider provider, DeformableAttentionOptions options)
    : OperatorKernel(api, provider)
    where T : unmanaged
{
    public override void Run(OperatorCall call)
    {
        using var query = call.Input<T>(0, "query");
        using var key = call.Input<T>(1, "key");
        using var value = call.Input<T>(2, "value");
        using var offsets = call.Input<T>(3, "offsets");
        using var output = call.Output<T>(DeformableShapes.Output(value, offsets));
        DeformableAttention.Forward(query, key, value, offsets, output, options);
    }
}
