using SapaGpu.Onnx.Decomposition;
using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Modules;

/// <summary>Nodes of window operators, with their functions.</summary>
internal static class WindowNode
{
    public static string Attention(
        OnnxGraph graph, string query, string key, string value, WindowAttentionOptions options, OnnxExportOptions export)
    {
        var function = export.HasFunctions ? WindowFunctions.Attention(options, export.Ratio, graph.Type) : null;
        return Add(graph, WindowOperators.Attention, [query, key, value], options, function);
    }

    public static string Reassembly(
        OnnxGraph graph, string weights, string value, WindowAttentionOptions options, OnnxExportOptions export)
    {
        var function = export.HasFunctions ? WindowFunctions.Reassembly(options, export.Ratio, graph.Type) : null;
        return Add(graph, WindowOperators.Reassembly, [weights, value], options, function);
    }

    private static string Add(
        OnnxGraph graph, string operation, string[] operands, WindowAttentionOptions options, OnnxFunction? function) =>
        graph.Call(OperatorDomain.Name, operation, operands, WindowOperators.AttributesOf(operation, options), function);
}
