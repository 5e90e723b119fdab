using SapaGpu.Onnx.Graph;
using SapaGpu.Operators;

namespace SapaGpu.Onnx.Modules;

/// <summary>Graphs of attention alone.</summary>
internal static class AttentionGraph
{
    public static byte[] Create(WindowAttentionOptions attention, TensorType type, OnnxExportOptions options)
    {
        OperatorSupport.CheckWindow(attention.Window);
        WindowShapes.CheckLeast(attention);
        var graph = new OnnxGraph(WindowOperators.Attention, type);
        string query = graph.Input("query", "B", "D", "OH", "OW");
        string key = graph.Input("key", "B", "D", "H", "W");
        string value = graph.Input("value", "B", "C", "H", "W");
        string result = WindowNode.Attention(graph, query, key, value, attention, options);
        bool addsChannels = attention.HeadValue == HeadValue.Shared && attention.Heads > 1;
        graph.Output(result, "output", "B", addsChannels ? "heads*C" : "C", "OH", "OW");
        return graph.ToFile();
    }

    public static byte[] Create(DeformableAttentionOptions attention, TensorType type, OnnxExportOptions options)
    {
        DeformableShapes.CheckLeast(attention);
        var graph = new OnnxGraph(DeformableOperators.Attention, type);
        string query = graph.Input("query", "B", "G*D", "OH", "OW");
        string key = graph.Input("key", "B", "G*D", "H", "W");
        string value = graph.Input("value", "B", "G*C", "H", "W");
        int coordinates = checked(attention.Groups * attention.Points * 2);
        string offsets = graph.Input("offsets", "B", coordinates, "OH", "OW");
        string result = DeformableNode.Attention(graph, query, key, value, offsets, attention, options);
        graph.Output(result, "output", "B", "G*C", "OH", "OW");
        return graph.ToFile();
    }
}
