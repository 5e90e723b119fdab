using SapaGpu.Onnx.Decomposition;
using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Modules;

/// <summary>Nodes of deformable attention, with their function.</summary>
internal static class DeformableNode
{
    public static string Attention(
        OnnxGraph graph, string query, string key, string value, string offsets, DeformableAttentionOptions options,
        OnnxExportOptions export) => graph.Call(
            OperatorDomain.Name,
            DeformableOperators.Attention,
            [query, key, value, offsets],
            DeformableOperators.AttributesOf(options),
            export.HasFunctions ? DeformableFunction.Create(options, graph.Type) : null);
}
