using SapaGpu.Operators;

namespace SapaGpu.Onnx.Runtime;

/// <summary>A node of <see cref="DeformableAttention"/>.</summary>
internal sealed class DeformableKernel<T>(OrtApi api, DeformableAttentionOptions options) : OperatorKernel(api)
    where T : unmanaged
{
    public override void Run(nint context)
    {
        using var query = Input<T>(context, 0, "query");
        using var key = Input<T>(context, 1, "key");
        using var value = Input<T>(context, 2, "value");
        using var offsets = Input<T>(context, 3, "offsets");
        using var output = Output<T>(context, DeformableShapes.Output(value, offsets));
        DeformableAttention.Forward(query, key, value, offsets, output, options);
    }
}
