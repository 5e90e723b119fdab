using SapaGpu.Onnx.Decomposition;
using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Modules;

/// <summary>Nodes of window operators, with their functions.</summary>
internal static class WindowNode
{
    public static string Attention(
        OnnxGraph graph, string query, string key, string value, WindowAttentionOptions attention, OnnxRatio ratio) => Add(
            graph,
            WindowOperators.Attention,
            [query, key, value],
            attention,
            WindowFunctions.Attention(attention, ratio, graph.Type));

    public static string Reassembly(
        OnnxGraph graph, string weights, string value, WindowAttentionOptions reassembly, OnnxRatio ratio) => Add(
            graph,
            WindowOperators.Reassembly,
            [weights, value],
            reassembly,
            WindowFunctions.Reassembly(reassembly, ratio, graph.Type));

    private static string Add(
        OnnxGraph graph, string operation, string[] operands, WindowAttentionOptions options, OnnxFunction function) =>
        graph.Call(
            WindowOperators.Domain, operation, operands, WindowOperators.AttributesOf(operation, options), function);
}
